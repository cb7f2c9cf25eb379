// Parts of the containers that are compiled into the C++ library, and so have no hooks: what they
// write in what the roll-back covers is logged for it here: the header of a tree or list, the
// policy of a hash table, and nodes from before the first execution. The links of lists, and those
// of a tree that every change of it begins at, are plain writes of the caller, too.
#include <cstddef>
#include <list>
#include <map>
#include <unordered_map>
#include <utility>

#include "sim/engine.h"
#include "sim/hooked_code.h"
#include "sim/plain_ranges.h"
#include "sim/real.h"
#include "sim/sync.h"

namespace jacquard::sim {
namespace {

// The real function behind `name` (mangled), as a function of type F.
template <class F>
F* Real(const char* name) {
  return reinterpret_cast<F*>(FindReal(name));
}

template <class T>
void BeforeWrite(const T* object) {
  if (!engine.executing || !engine.OnExecutingThread()) return;
  engine.rollback.BeforeWrite(object, sizeof(T));
  if (engine.hooks_on) engine.current->spin.Reset();
}

// A plain write of the function with hooks that `pc` returns to; what others do with containers of
// their own is not looked at.
template <class T>
void NoteWrite(const T& field, uintptr_t pc) {
  if (engine.Simulates() && IsHookedCode(reinterpret_cast<const void*>(pc))) {
    NotePlainWrite(&field, sizeof(field), pc);
  } else {
    BeforeWrite(&field);
  }
}

void BeforeWriteOfSubtree(const std::_Rb_tree_node_base* node, int generations) {
  if (node == nullptr) return;
  BeforeWrite(node);
  if (generations == 0) return;
  BeforeWriteOfSubtree(node->_M_left, generations - 1);
  BeforeWriteOfSubtree(node->_M_right, generations - 1);
}

// A tree is about to be rebalanced from `node` on up to the root: at each node on the way there is
// a rotation or two, which may write to a brother's children, and to theirs.
void BeforeRebalance(const std::_Rb_tree_node_base* node, const std::_Rb_tree_node_base& header,
                     uintptr_t pc) {
  if (!engine.executing || !engine.OnExecutingThread()) return;
  NoteWrite(header, pc);
  if (node != &header) NoteWrite(*node, pc);
  constexpr int kGenerations = 3;
  constexpr int kDeepest = 128;  // not of another tree's nodes, which do not lead to this header
  for (int level = 0; node != &header && level < kDeepest; ++level, node = node->_M_parent)
    BeforeWriteOfSubtree(node, kGenerations);
}

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::BeforeRebalance;
using jacquard::sim::BeforeWrite;
using jacquard::sim::NoteWrite;
using jacquard::sim::Real;

namespace std {

void _Rb_tree_insert_and_rebalance(const bool left, _Rb_tree_node_base* node,
                                   _Rb_tree_node_base* parent,
                                   _Rb_tree_node_base& header) noexcept {
  BeforeRebalance(parent, header, JACQUARD_CALLER);
  static const auto real =
      Real<void(bool, _Rb_tree_node_base*, _Rb_tree_node_base*, _Rb_tree_node_base&)>(
          "_ZSt29_Rb_tree_insert_and_rebalancebPSt18_Rb_tree_node_baseS0_RS_");
  real(left, node, parent, header);
}

_Rb_tree_node_base* _Rb_tree_rebalance_for_erase(_Rb_tree_node_base* const node,
                                                 _Rb_tree_node_base& header) noexcept {
  const _Rb_tree_node_base* successor = node;  // takes its place, if there is one
  if (node->_M_left != nullptr && node->_M_right != nullptr) {
    for (successor = node->_M_right; successor->_M_left != nullptr;) successor = successor->_M_left;
  }
  BeforeRebalance(successor, header, JACQUARD_CALLER);
  static const auto real = Real<_Rb_tree_node_base*(_Rb_tree_node_base*, _Rb_tree_node_base&)>(
      "_ZSt28_Rb_tree_rebalance_for_erasePSt18_Rb_tree_node_baseRS_");
  return real(node, header);
}

namespace __detail {

void _List_node_base::_M_hook(_List_node_base* const position) noexcept {
  const uintptr_t pc = JACQUARD_CALLER;
  NoteWrite(*this, pc);
  NoteWrite(position->_M_prev, pc);
  NoteWrite(position->_M_prev->_M_next, pc);
  _M_next = position;
  _M_prev = position->_M_prev;
  position->_M_prev->_M_next = this;
  position->_M_prev = this;
}

void _List_node_base::_M_unhook() noexcept {
  const uintptr_t pc = JACQUARD_CALLER;
  NoteWrite(_M_next->_M_prev, pc);
  NoteWrite(_M_prev->_M_next, pc);
  _M_prev->_M_next = _M_next;
  _M_next->_M_prev = _M_prev;
}

void _List_node_base::_M_transfer(_List_node_base* const first,
                                  _List_node_base* const last) noexcept {
  const uintptr_t pc = JACQUARD_CALLER;
  for (const _List_node_base* const node : {this, first, last}) {
    NoteWrite(node->_M_prev, pc);
    NoteWrite(node->_M_prev->_M_next, pc);
  }
  static const auto real = Real<void(_List_node_base*, _List_node_base*, _List_node_base*)>(
      "_ZNSt8__detail15_List_node_base11_M_transferEPS0_S1_");
  real(this, first, last);
}

void _List_node_base::swap(_List_node_base& a, _List_node_base& b) noexcept {
  const uintptr_t pc = JACQUARD_CALLER;
  for (const _List_node_base* const list : {&a, &b}) {
    NoteWrite(*list, pc);
    NoteWrite(list->_M_next->_M_prev, pc);
    NoteWrite(list->_M_prev->_M_next, pc);
  }
  static const auto real = Real<void(_List_node_base&, _List_node_base&)>(
      "_ZNSt8__detail15_List_node_base4swapERS0_S1_");
  real(a, b);
}

void _List_node_base::_M_reverse() noexcept {
  const uintptr_t pc = JACQUARD_CALLER;
  const _List_node_base* node = this;
  do {
    NoteWrite(*node, pc);
    node = node->_M_next;
  } while (node != this);
  static const auto real =
      Real<void(_List_node_base*)>("_ZNSt8__detail15_List_node_base10_M_reverseEv");
  real(this);
}

size_t _Prime_rehash_policy::_M_next_bkt(size_t count) const {
  BeforeWrite(this);
  static const auto real = Real<size_t(const _Prime_rehash_policy*, size_t)>(
      "_ZNKSt8__detail20_Prime_rehash_policy11_M_next_bktEm");
  return real(this, count);
}

pair<bool, size_t> _Prime_rehash_policy::_M_need_rehash(size_t buckets, size_t elements,
                                                        size_t inserted) const {
  BeforeWrite(this);
  static const auto real =
      Real<pair<bool, size_t>(const _Prime_rehash_policy*, size_t, size_t, size_t)>(
          "_ZNKSt8__detail20_Prime_rehash_policy14_M_need_rehashEmmm");
  return real(this, buckets, elements, inserted);
}

}  // namespace __detail
}  // namespace std
