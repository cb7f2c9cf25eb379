// operator new and delete, in all their forms, twice.
//
// Those under their own names are the runtime's: once prelinked (BUILD) they are seen by nobody
// else, so that what the runtime allocates for itself never goes through code of the program.
//
// Those that everybody else sees get their names when they are prelinked. They are weak, since a
// program may define some of them itself (C++20, 17.6.3); those that the standard says call others
// do so if these are the program's.
#include <cstddef>
#include <new>

#include "sim/caller.h"
#include "sim/heap.h"

using jacquard::sim::AllocateByNew;
using jacquard::sim::AllocateByNewOrNull;
using jacquard::sim::Allocator;
using jacquard::sim::Free;
using jacquard::sim::kDefaultAlignment;
using jacquard::sim::Release;
using jacquard::sim::Request;

#define JACQUARD_NO_ARRAY

namespace {

// What `allocate` does, but null where it throws.
template <class Allocate>
void* OrNull(Allocate allocate) noexcept {
  try {
    return allocate();
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

// What a form of operator new asks for, and how one of operator delete gives it back.
Request Plain(size_t size, Allocator allocator) { return {size, kDefaultAlignment, allocator}; }
Request Aligned(size_t size, std::align_val_t alignment, Allocator allocator) {
  return {size, static_cast<size_t>(alignment), allocator, true};
}
Release Back(Allocator allocator, bool aligned) {
  return {allocator == Allocator::kNew ? "operator delete" : "operator delete[]", allocator,
          aligned};
}
Release Back(Allocator allocator, bool aligned, size_t size) {
  Release release = Back(allocator, aligned);
  release.sized = true;
  release.size = size;
  return release;
}

}  // namespace

// ---- the runtime's own

#define JACQUARD_OWN_FORMS(ARRAY, kind)                                                       \
  void* operator new ARRAY(size_t size) {                                                     \
    return AllocateByNew(Plain(size, kind), true, JACQUARD_RETURN_ADDRESS);                   \
  }                                                                                           \
  void* operator new ARRAY(size_t size, std::align_val_t alignment) {                         \
    return AllocateByNew(Aligned(size, alignment, kind), true, JACQUARD_RETURN_ADDRESS);      \
  }                                                                                           \
  void* operator new ARRAY(size_t size, const std::nothrow_t&) noexcept {                     \
    return AllocateByNewOrNull(Plain(size, kind), JACQUARD_RETURN_ADDRESS);                   \
  }                                                                                           \
  void* operator new ARRAY(size_t size, std::align_val_t alignment,                           \
                           const std::nothrow_t&) noexcept {                                  \
    return AllocateByNewOrNull(Aligned(size, alignment, kind), JACQUARD_RETURN_ADDRESS);      \
  }                                                                                           \
  void operator delete ARRAY(void* block) noexcept {                                          \
    Free(block, Back(kind, false), JACQUARD_RETURN_ADDRESS);                                  \
  }                                                                                           \
  void operator delete ARRAY(void* block, size_t /*size*/) noexcept {                         \
    Free(block, Back(kind, false), JACQUARD_RETURN_ADDRESS);                                  \
  }                                                                                           \
  void operator delete ARRAY(void* block, const std::nothrow_t&) noexcept {                   \
    Free(block, Back(kind, false), JACQUARD_RETURN_ADDRESS);                                  \
  }                                                                                           \
  void operator delete ARRAY(void* block, std::align_val_t) noexcept {                        \
    Free(block, Back(kind, true), JACQUARD_RETURN_ADDRESS);                                   \
  }                                                                                           \
  void operator delete ARRAY(void* block, size_t /*size*/, std::align_val_t) noexcept {       \
    Free(block, Back(kind, true), JACQUARD_RETURN_ADDRESS);                                   \
  }                                                                                           \
  void operator delete ARRAY(void* block, std::align_val_t, const std::nothrow_t&) noexcept { \
    Free(block, Back(kind, true), JACQUARD_RETURN_ADDRESS);                                   \
  }

JACQUARD_OWN_FORMS(JACQUARD_NO_ARRAY, Allocator::kNew)
JACQUARD_OWN_FORMS([], Allocator::kNewArray)

// ---- what everybody else sees: BUILD has the operators' names for these

extern "C" {

// The forms that others stand on. A program's own takes the place of the weak name only.
#define JACQUARD_BASE_FORM(result, name, parameters) \
  [[gnu::weak, gnu::alias("own_" #name)]] result jacquard_##name parameters;
#define JACQUARD_IS_OURS(name) (&jacquard_##name == &own_##name)

void* own_new(size_t size) {
  return AllocateByNew(Plain(size, Allocator::kNew), true, JACQUARD_RETURN_ADDRESS);
}
void* own_new_aligned(size_t size, std::align_val_t alignment) {
  return AllocateByNew(Aligned(size, alignment, Allocator::kNew), true, JACQUARD_RETURN_ADDRESS);
}
void own_delete(void* block) noexcept {
  Free(block, Back(Allocator::kNew, false), JACQUARD_RETURN_ADDRESS);
}
void own_delete_aligned(void* block, std::align_val_t /*alignment*/) noexcept {
  Free(block, Back(Allocator::kNew, true), JACQUARD_RETURN_ADDRESS);
}
JACQUARD_BASE_FORM(void*, new, (size_t))
JACQUARD_BASE_FORM(void*, new_aligned, (size_t, std::align_val_t))
JACQUARD_BASE_FORM(void, delete, (void*) noexcept)
JACQUARD_BASE_FORM(void, delete_aligned, (void*, std::align_val_t) noexcept)

void* own_new_array(size_t size) {
  if (!JACQUARD_IS_OURS(new)) return jacquard_new(size);
  return AllocateByNew(Plain(size, Allocator::kNewArray), true, JACQUARD_RETURN_ADDRESS);
}
void* own_new_array_aligned(size_t size, std::align_val_t alignment) {
  if (!JACQUARD_IS_OURS(new_aligned)) return jacquard_new_aligned(size, alignment);
  return AllocateByNew(Aligned(size, alignment, Allocator::kNewArray), true,
                       JACQUARD_RETURN_ADDRESS);
}
void own_delete_array(void* block) noexcept {
  if (!JACQUARD_IS_OURS(delete)) return jacquard_delete(block);
  Free(block, Back(Allocator::kNewArray, false), JACQUARD_RETURN_ADDRESS);
}
void own_delete_array_aligned(void* block, std::align_val_t alignment) noexcept {
  if (!JACQUARD_IS_OURS(delete_aligned)) return jacquard_delete_aligned(block, alignment);
  Free(block, Back(Allocator::kNewArray, true), JACQUARD_RETURN_ADDRESS);
}
JACQUARD_BASE_FORM(void*, new_array, (size_t))
JACQUARD_BASE_FORM(void*, new_array_aligned, (size_t, std::align_val_t))
JACQUARD_BASE_FORM(void, delete_array, (void*) noexcept)
JACQUARD_BASE_FORM(void, delete_array_aligned, (void*, std::align_val_t) noexcept)

// The others, for one object and for arrays. `ours(form)`: the form, and those it stands on, are
// the runtime's.
#define JACQUARD_OTHER_FORMS(array, kind, ours)                                                    \
  [[gnu::weak]] void* jacquard_new##array##_nothrow(size_t size, const std::nothrow_t&) noexcept { \
    if (!ours(new, )) return OrNull([size] { return jacquard_new##array(size); });                 \
    return AllocateByNewOrNull(Plain(size, kind), JACQUARD_RETURN_ADDRESS);                        \
  }                                                                                                \
  [[gnu::weak]] void* jacquard_new##array##_aligned_nothrow(                                       \
      size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {                   \
    if (!ours(new, _aligned))                                                                      \
      return OrNull([=] { return jacquard_new##array##_aligned(size, alignment); });               \
    return AllocateByNewOrNull(Aligned(size, alignment, kind), JACQUARD_RETURN_ADDRESS);           \
  }                                                                                                \
  [[gnu::weak]] void jacquard_delete##array##_sized(void* block, size_t size) noexcept {           \
    if (!ours(delete, )) return jacquard_delete##array(block);                                     \
    Free(block, Back(kind, false, size), JACQUARD_RETURN_ADDRESS);                                 \
  }                                                                                                \
  [[gnu::weak]] void jacquard_delete##array##_sized_aligned(void* block, size_t size,              \
                                                            std::align_val_t alignment) noexcept { \
    if (!ours(delete, _aligned)) return jacquard_delete##array##_aligned(block, alignment);        \
    Free(block, Back(kind, true, size), JACQUARD_RETURN_ADDRESS);                                  \
  }                                                                                                \
  [[gnu::weak]] void jacquard_delete##array##_nothrow(void* block,                                 \
                                                      const std::nothrow_t&) noexcept {            \
    if (!ours(delete, )) return jacquard_delete##array(block);                                     \
    Free(block, Back(kind, false), JACQUARD_RETURN_ADDRESS);                                       \
  }                                                                                                \
  [[gnu::weak]] void jacquard_delete##array##_aligned_nothrow(                                     \
      void* block, std::align_val_t alignment, const std::nothrow_t&) noexcept {                   \
    if (!ours(delete, _aligned)) return jacquard_delete##array##_aligned(block, alignment);        \
    Free(block, Back(kind, true), JACQUARD_RETURN_ADDRESS);                                        \
  }

#define JACQUARD_IS_ONE_OURS(form, aligned) JACQUARD_IS_OURS(form##aligned)
#define JACQUARD_IS_ARRAY_OURS(form, aligned) \
  (JACQUARD_IS_OURS(form##aligned) && JACQUARD_IS_OURS(form##_array##aligned))
JACQUARD_OTHER_FORMS(, Allocator::kNew, JACQUARD_IS_ONE_OURS)
JACQUARD_OTHER_FORMS(_array, Allocator::kNewArray, JACQUARD_IS_ARRAY_OURS)

}  // extern "C"

bool jacquard::sim::ProgramHasNew() { return !JACQUARD_IS_OURS(new); }
