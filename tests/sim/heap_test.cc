// The heap oracle: each wrong access and each wrong way to free is found and named, and nothing
// else is.
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "sim/runtime.h"
#include "tests/sim/accesses.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

Verdict Judge(const std::function<void()>& body) {
  return Walk(
             [&body] {
               TakeStep();
               body();
             },
             3)
      .verdict;
}

// Expects that `body` fails with `signature`, and with a message that contains `text`.
void ExpectError(const std::string& signature, const std::string& text,
                 const std::function<void()>& body) {
  const Verdict verdict = Judge(body);
  EXPECT_EQ(verdict.signature, signature) << verdict.message;
  EXPECT_NE(verdict.message.find(text), std::string::npos) << verdict.message;
}

void ExpectPass(const std::function<void()>& body) {
  const Verdict verdict = Judge(body);
  EXPECT_TRUE(verdict.passed()) << verdict.message;
}

// ---- accesses

TEST(HeapAccess, AfterFree) {
  ExpectError("heap error|use after free",
              "reads 4 bytes from byte 8 on of a block of 24 bytes that thread 0 allocated with "
              "malloc and thread 0 freed",
              [] {
                auto* const block = Make<int>(24);
                std::free(block);
                Read(block + 2);
              });
  ExpectError("heap error|use after free", "writes 8 bytes from byte 0 on of a block of 8 bytes",
              [] {
                auto* const block = Hide(new uint64_t);
                delete block;
                Write(block, uint64_t{1});
              });
}

TEST(HeapAccess, ByAnotherThreadThanTheOneThatFreed) {
  const Verdict verdict = Walk(
                              [] {
                                auto* const word = Hide(new std::atomic<int>(0));
                                std::thread reader([word] { word->load(); });
                                std::thread deleter([word] { delete word; });
                                reader.join();
                                deleter.join();
                              },
                              100)
                              .verdict;
  EXPECT_EQ(verdict.signature, "heap error|use after free");
  EXPECT_NE(verdict.message.find("thread 2 freed"), std::string::npos) << verdict.message;
  EXPECT_EQ(verdict.thread, 1);
}

// The decision point comes before the access.
TEST(HeapAccess, TakesEffectAfterTheDecision) {
  ExpectPass([] {
    auto* const word = Hide(new std::atomic<int>(0));
    std::thread reader([word] { word->load(); });
    reader.join();
    delete word;
  });
}

struct Sizes {
  static constexpr size_t kBlocks[] = {1, 3, 8, 13, 16, 24, 40, 100, 1000, 20'000'000};
};

template <class T>
class HeapBounds : public testing::Test {};
using AccessTypes = testing::Types<uint8_t, uint16_t, uint32_t, uint64_t, unsigned __int128>;
TYPED_TEST_SUITE(HeapBounds, AccessTypes);

// Each offset from 8 before the block to 8 behind it is judged right: by plain and atomic accesses.
TYPED_TEST(HeapBounds, OfEachBlockAtEachOffset) {
  using T = TypeParam;
  for (const size_t size : Sizes::kBlocks) {
    const auto last = static_cast<int64_t>(size);
    for (int64_t offset = -8; offset < last + 8; ++offset) {
      if (offset == 24) offset = std::max<int64_t>(24, last - 24);
      if (offset % static_cast<int64_t>(alignof(T)) != 0) continue;
      for (const bool atomic : {false, true}) {
        if (atomic && sizeof(T) == 16) continue;  // in the library, which has no hooks
        const Verdict verdict = Judge([&] {
          auto* const block = Make(size);
          auto* const object = reinterpret_cast<T*>(block + offset);
          if (atomic) {
            if constexpr (sizeof(T) <= 8) __atomic_fetch_add(Hide(object), T{1}, __ATOMIC_RELAXED);
          } else {
            Read(object);
          }
          std::free(block);
        });
        const bool inside = offset >= 0 && offset + static_cast<int64_t>(sizeof(T)) <= last;
        EXPECT_EQ(verdict.passed(), inside) << offset << " of " << size << ": " << verdict.message;
        if (inside) continue;
        EXPECT_EQ(verdict.signature,
                  offset < 0 ? "heap error|heap underflow" : "heap error|heap overflow")
            << offset << " of " << size << ": " << verdict.message;
      }
    }
  }
}

TEST(HeapAccess, BesideABlockBetweenOthers) {
  ExpectError("heap error|heap overflow",
              "writes a byte, beginning 0 bytes behind the end of a block of 13 bytes", [] {
                auto* const first = Make(13);
                auto* const second = Make(13);
                Write(first + 13, 'x');
                std::free(first);
                std::free(second);
              });
  ExpectError("heap error|heap underflow",
              "writes a byte, beginning 8 bytes before a block of 13 bytes", [] {
                auto* const first = Make(13);
                auto* const second = Make(13);
                Write(second - 8, 'x');
                std::free(first);
                std::free(second);
              });
}

TEST(HeapAccess, ToNothing) {
  ExpectError("heap error|heap memory never allocated", "never allocated", [] {
    auto* const block = Make(8);
    Read(block + 100'000);
    std::free(block);
  });
  ExpectError("heap error|heap memory never allocated", "never allocated", [] {
    auto* const block = Make(8);
    Read(block + 100'000'000);
    std::free(block);
  });
}

TEST(HeapAccess, OfWholeRanges) {
  ExpectError("heap error|heap overflow", "reads 101 bytes from byte 0 on of a block of 100 bytes",
              [] {
                char text[200];
                auto* const block = Make(100);
                std::memcpy(Hide(&text[0]), block, Hide(101));
                Hide(&text[0]);
                std::free(block);
              });
  ExpectError("heap error|heap overflow", "writes 33 bytes from byte 70 on", [] {
    auto* const block = Make(100);
    std::memset(block + 70, 1, Hide(33));
    std::free(Hide(block));
  });
  ExpectError("heap error|heap underflow", "writes 10 bytes, beginning a byte before", [] {
    auto* const block = Make(100);
    std::memmove(block - 1, block + 5, Hide(10));
    std::free(Hide(block));
  });
  ExpectError("heap error|use after free", "reads 5 bytes", [] {
    auto* const block = Make(100);
    std::strcpy(block, "text");
    std::free(Hide(block));
    std::free(Hide(strdup(Hide(block))));
  });
  ExpectPass([] {
    char text[200] = {};
    auto* const block = Make(100);
    std::memset(block, 1, Hide(100));
    std::memcpy(Hide(text), block, Hide(100));
    std::memmove(block, block + 50, Hide(50));
    std::memcpy(Hide(text), block + 100, Hide(0));
    std::memcpy(Hide(text), block - 50, Hide(0));
    std::free(block);
  });
}

TEST(HeapAccess, ThroughAVirtualFunctionOfADeletedObject) {
  struct Base {
    virtual ~Base() = default;
    virtual void Nothing() {}
  };
  ExpectError("heap error|use after free", "reads 8 bytes from byte 0 on", [] {
    Base* const object = Hide(new Base);
    delete object;
    Hide(object)->Nothing();
  });
}

TEST(HeapAccess, ByTheLockOfAFreedMutex) {
  ExpectError("heap error|use after free", "from byte 0 on of a block of 40 bytes", [] {
    auto* const mutex = Hide(new std::mutex);
    delete mutex;
    mutex->lock();
  });
  // While somebody waits for it. With the memory model it is a race whoever is first.
  const Verdict verdict = Walk(
                              [] {
                                auto* const mutex = Hide(new std::mutex);
                                std::thread owner([mutex] {
                                  mutex->lock();
                                  mutex->unlock();
                                  delete mutex;
                                });
                                std::thread waiter([mutex] {
                                  mutex->lock();
                                  mutex->unlock();
                                });
                                owner.join();
                                waiter.join();
                              },
                              1000, {.memory = MemoryMode::kSc})
                              .verdict;
  EXPECT_EQ(verdict.signature, "heap error|use after free") << verdict.message;
}

TEST(HeapAccess, BySharedPointers) {
  ExpectError("heap error|use after free", "freed", [] {
    auto shared = std::make_shared<int>(1);
    const std::weak_ptr<int> weak = shared;
    int* const raw = Hide(shared.get());
    auto* const other = Hide(new std::shared_ptr<int>(shared));
    delete other;
    *raw = 2;  // still there
    const std::shared_ptr<int>* const gone = Hide(other);
    *gone->get() = 3;
  });
  ExpectPass([] {
    auto shared = std::make_shared<std::string>(100, 'x');
    std::weak_ptr<std::string> weak = shared;
    std::thread a([copy = shared] { Check(copy->size() == 100, "there"); });
    std::thread b([weak] {
      if (const auto locked = weak.lock()) Check(locked->size() == 100, "there");
    });
    shared.reset();
    a.join();
    b.join();
    Check(weak.expired(), "gone");
    auto object = std::shared_ptr<int[]>(new int[10]);
    auto with_deleter = std::shared_ptr<int>(new int(1), [](int* p) { delete p; });
    auto aliased = std::shared_ptr<int>(object, object.get() + 9);
    object.reset();
    *aliased = 1;
  });
}

TEST(HeapAccess, OfTheHarnessBeforeAndAfterTheThreads) {
  struct Early : Program {
    int ThreadCount() const override { return 1; }
    void Begin() override {
      auto* const block = Make(8);
      std::free(block);
      Read(block);
    }
    void RunThread(int) override { TakeStep(); }
  } early;
  struct Late : Program {
    int ThreadCount() const override { return 1; }
    void Begin() override { block = Make(8); }
    void RunThread(int) override {
      TakeStep();
      std::free(block);
    }
    void End() override { Read(block); }
    char* block = nullptr;
  } late;
  RandomWalk walk(1);
  walk.BeginExecution();
  EXPECT_EQ(Execute(early, walk, {}).signature, "heap error|use after free");
  const Verdict verdict = Execute(late, walk, {});
  EXPECT_EQ(verdict.signature, "heap error|use after free");
  EXPECT_NE(verdict.message.find("that the harness allocated with malloc and thread 0 freed"),
            std::string::npos)
      << verdict.message;
}

// Ghost state may look at what the code under test has given up.
TEST(HeapAccess, OfTheHarnessWhileThreadsRunIsItsOwnAffair) {
  ExpectPass([] {
    auto* const block = Make(8);
    std::free(block);
    const Ghost ghost;
    Read(block);
  });
}

TEST(HeapAccess, AfterTheQuarantineIsNotSeen) {
  ExecutionOptions options;
  options.quarantine = 0;
  Closure body([] {
    TakeStep();
    auto* const first = Make(32);
    std::free(first);
    auto* const second = Make(32);
    Check(first == second, "addresses come back at once");
    Read(first);
    std::free(second);
  });
  RandomWalk walk(1);
  walk.BeginExecution();
  EXPECT_EQ(Execute(body, walk, options).message, "");
  EXPECT_EQ(Execute(body, walk, {}).signature, "invariant|addresses come back at once");
}

// ---- freeing

TEST(HeapFree, Twice) {
  ExpectError("heap error|double free",
              "free of a block of 24 bytes that thread 0 allocated with malloc and thread 0 freed",
              [] {
                auto* const block = Make(24);
                std::free(block);
                std::free(Hide(block));
              });
  ExpectError("heap error|double free", "operator delete of a block of 4 bytes", [] {
    auto* const object = Hide(new int);
    delete object;
    ::operator delete(Hide(object));
  });
  ExpectError("heap error|double free", "realloc of a block of 24 bytes", [] {
    auto* const block = Make(24);
    std::free(block);
    std::free(Hide(std::realloc(Hide(block), 100)));
  });
}

TEST(HeapFree, OfNoBlock) {
  ExpectError("heap error|free of what is no block",
              "free of an address inside, at byte 16 of a block of 64 bytes", [] {
                auto* const block = Make(64);
                std::free(Hide(block + 16));
              });
  ExpectError("heap error|free of what is no block", "at byte 1 of a block of 64 bytes", [] {
    auto* const block = Make(64);
    std::free(Hide(block + 1));
  });
  ExpectError("heap error|free of what is no block", "free of heap memory that is no block", [] {
    auto* const block = Make(64);
    std::free(Hide(block + 1'000'000));
  });
}

TEST(HeapFree, ByWhatDoesNotBelongToTheAllocation) {
  constexpr std::align_val_t kAlign{64};
  const std::vector<std::pair<std::string, std::function<void*()>>> allocate = {
      {"malloc", [] { return std::malloc(24); }},
      {"new", [] { return operator new(24); }},
      {"new[]", [] { return operator new[](24); }},
      {"aligned new", [] { return operator new(24, kAlign); }},
      {"aligned new[]", [] { return operator new[](24, kAlign); }},
  };
  // Of each: the plain form, and the sized one.
  const std::vector<std::vector<std::function<void(void*)>>> release = {
      {[](void* p) { std::free(p); }, [](void* p) { std::free(Hide(std::realloc(p, 100))); }},
      {[](void* p) { operator delete(p); }, [](void* p) { operator delete(p, 24); }},
      {[](void* p) { operator delete[](p); }, [](void* p) { operator delete[](p, 24); }},
      {[](void* p) { operator delete(p, kAlign); },
       [](void* p) { operator delete(p, 24, kAlign); }},
      {[](void* p) { operator delete[](p, kAlign); },
       [](void* p) { operator delete[](p, 24, kAlign); }},
  };
  for (size_t a = 0; a < allocate.size(); ++a) {
    for (size_t r = 0; r < release.size(); ++r) {
      for (const auto& function : release[r]) {
        const Verdict verdict = Judge([&] { function(Hide(allocate[a].second())); });
        const std::string expected = a == r ? "" : "heap error|mismatched free";
        EXPECT_EQ(verdict.signature, expected) << allocate[a].first << ", released by " << r;
        if (a == r) continue;
        EXPECT_NE(verdict.message.find("allocated with " + allocate[a].first), std::string::npos)
            << verdict.message;
      }
    }
  }
}

TEST(HeapFree, WithAWrongSize) {
  ExpectError(
      "heap error|mismatched free",
      "operator delete for 16 bytes of a block of 24 bytes that thread 0 allocated with new",
      [] { operator delete(Hide(operator new(24)), 16); });
  ExpectError("heap error|mismatched free", "operator delete[] for 25 bytes of a block of 24 bytes",
              [] { operator delete[](Hide(operator new[](24)), 25); });
  // The destructor is not virtual.
  struct Base {
    int i = 0;
  };
  struct Derived : Base {
    int j[10] = {};
  };
  ExpectError("heap error|mismatched free", "operator delete for 4 bytes of a block of 44 bytes",
              [] { delete static_cast<Base*>(Hide(new Derived)); });
}

TEST(HeapFree, InEachRightWay) {
  ExpectPass([] {
    struct alignas(128) Wide {
      char bytes[200];
    };
    struct WithDestructor {
      ~WithDestructor() { Hide(this); }
      int i = 0;
    };
    delete Hide(new int);
    delete[] Hide(new int[10]);
    delete Hide(new Wide);
    delete[] Hide(new Wide[3]);
    delete[] Hide(new WithDestructor[Hide(7)]);
    delete Hide(new (std::nothrow) int);
    delete[] Hide(new (std::nothrow) Wide[2]);
    operator delete(Hide(operator new(8, std::nothrow)), std::nothrow);
    for (const size_t alignment : {8, 16, 64, 4096}) {
      std::free(Hide(std::aligned_alloc(alignment, 4096)));
      std::free(Hide(memalign(alignment, 100)));
      void* block = nullptr;
      Check(posix_memalign(&block, alignment, 100) == 0, "there is room");
      Write(static_cast<char*>(block) + 99, 'x');
      std::free(Hide(block));
    }
    std::free(Hide(valloc(100)));
    std::free(Hide(std::calloc(10, 10)));
    std::free(Hide(reallocarray(Hide(std::malloc(5)), 10, 10)));
    Check(std::realloc(Hide(std::malloc(5)), Hide(0)) == nullptr, "a free");
    std::free(Hide(strdup("a text")));
    std::free(Hide(strndup("a text", 3)));
    char* text = nullptr;
    Check(asprintf(&text, "%d", 12345) == 5 && std::strcmp(text, "12345") == 0, "formatted");
    std::free(text);
    std::map<std::string, std::vector<int>> map;
    for (int i = 0; i < 50; ++i) map["a key that is long enough" + std::to_string(i)].push_back(i);
  });
}

TEST(HeapFree, OfTextsThatALibraryHasMade) {
  ExpectError("heap error|use after free", "of a block of 7 bytes", [] {
    char* const text = Hide(strdup("a text"));
    std::free(text);
    Read(text);
  });
  ExpectError("heap error|double free", "of a block", [] {
    char* text = nullptr;
    Check(asprintf(&text, "%0100d", 5) == 100, "formatted");
    std::free(Hide(text));
    std::free(Hide(text));
  });
}

}  // namespace
}  // namespace jacquard
