// Leaks: what nobody can free any more is found, and what is kept on purpose is not.
#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <list>
#include <locale>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
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
             20)
      .verdict;
}

void ExpectLeak(const std::string& text, const std::function<void()>& body) {
  const Verdict verdict = Judge(body);
  EXPECT_EQ(verdict.signature, "leak|memory leak") << verdict.message;
  EXPECT_NE(verdict.message.find(text), std::string::npos) << verdict.message;
}

void ExpectNoLeak(const std::function<void()>& body) {
  const Verdict verdict = Judge(body);
  EXPECT_TRUE(verdict.passed()) << verdict.message;
}

struct Node {
  Node* next = nullptr;
  int value = 0;
};

// ---- lost

TEST(Lost, OfEachAllocator) {
  ExpectLeak(
      "a block of 40 bytes that thread 0 allocated with malloc was never freed, and nothing points "
      "to it any more",
      [] { Hide(std::malloc(40)); });
  ExpectLeak("16 bytes that thread 0 allocated with new was", [] { Hide(new Node); });
  ExpectLeak("160 bytes that thread 0 allocated with new[] was", [] { Hide(new Node[10]); });
  ExpectLeak("a block of 7 bytes", [] { Hide(strdup("a text")); });
  ExpectLeak("a block of 3000000000 bytes", [] { Hide(std::malloc(3'000'000'000)); });
}

TEST(Lost, ByAThreadThatHasEnded) {
  ExpectLeak("that thread 1 allocated with new",
             [] { std::thread([] { Hide(new Node); }).join(); });
}

// What a thread has got or given is nobody's any more when it has been joined.
TEST(Lost, WithAThreadThatWasJoined) {
  ExpectLeak("allocated with new was never freed", [] {
    pthread_t thread;
    pthread_create(&thread, nullptr, [](void*) -> void* { return nullptr; }, Hide(new Node));
    pthread_join(thread, nullptr);
  });
  ExpectLeak("allocated with new was never freed", [] {
    pthread_t thread;
    pthread_create(&thread, nullptr, [](void*) -> void* { return Hide(new Node); }, nullptr);
    pthread_join(thread, nullptr);
  });
}

TEST(Lost, StructuresNameTheirHead) {
  ExpectLeak("10 blocks with 160 bytes were never freed, and nothing points to them any more; ",
             [] {
               Node* head = nullptr;
               for (int i = 0; i < 10; ++i) head = new Node{head, i};
               Hide(head);
             });
  ExpectLeak("2 blocks with 32 bytes", [] {  // in a circle
    auto* const a = Hide(new Node);
    a->next = Hide(new Node{a, 1});
  });
}

TEST(Lost, SharedPointersInACircle) {
  struct Shared {
    std::shared_ptr<Shared> other;
  };
  ExpectLeak("2 blocks", [] {
    const auto a = std::make_shared<Shared>();
    const auto b = std::make_shared<Shared>();
    a->other = b;
    b->other = a;
  });
}

TEST(Lost, GlobalsThatPointElsewhereByNow) {
  static Node* pointer = nullptr;
  ExpectLeak("a block of 16 bytes", [] {
    pointer = Hide(new Node);
    Hide(&pointer);
    pointer = nullptr;
  });
}

TEST(Lost, FreedBlocksHoldNothing) {
  ExpectLeak("a block of 16 bytes", [] {
    auto* const holder = Hide(new Node);
    holder->next = Hide(new Node);
    delete holder;
  });
}

TEST(Lost, InOnlyOneInterleaving) {
  const ExploreResult result = SearchAll([] {
    std::atomic<Node*> slot{nullptr};
    auto put = [&] {
      auto* const mine = new Node;
      if (slot.load() == nullptr)
        slot.store(mine);  // not atomic: one may overwrite the other
      else
        delete mine;
    };
    std::thread a(put), b(put);
    a.join();
    b.join();
    delete slot.load();
  });
  EXPECT_EQ(result.verdict.signature, "leak|memory leak") << result.verdict.message;
  EXPECT_GT(result.executions, 1u);
}

TEST(Lost, OptionSwitchesItOff) {
  RandomWalk walk(1);
  ExploreOptions options;
  options.executions = 5;
  options.execution.check_leaks = false;
  const ExploreResult result = Explore(
      [] {
        TakeStep();
        Hide(new Node);
      },
      walk, options);
  ExpectPass(result);
}

TEST(Lost, ReplayFindsTheSame) {
  RandomWalk walk(1);
  const ExploreResult result = Explore(
      [] {
        TakeStep();
        Hide(new Node);
      },
      walk);
  ASSERT_EQ(result.trace.places.size(), 1u);
  EXPECT_EQ(result.trace.places[0].what, "allocated");
  EXPECT_EQ(result.trace.places[0].thread, 0);
  EXPECT_NE(result.trace.places[0].pc, 0u);
}

// ---- kept

TEST(Kept, InStatics) {
  ExpectNoLeak([] {
    static Node* const made_once = new Node;
    static std::string text = "a text that is too long to be kept in place";
    static std::vector<std::string> texts;
    static std::map<int, std::string> map;
    static std::unordered_map<std::string, int> table;
    static std::list<std::unique_ptr<Node>> list;
    static std::shared_ptr<Node> shared;
    texts.push_back(text);
    map[3] = text;
    table[text] = 1;
    list.push_back(std::make_unique<Node>());
    shared = std::make_shared<Node>();
    Hide(made_once);
  });
}

Node* head = nullptr;
std::atomic<Node*> atomic_head{nullptr};
std::exception_ptr error;

TEST(Kept, InStructuresThatGlobalsPointTo) {
  ExpectNoLeak([] {
    for (int i = 0; i < 100; ++i) head = new Node{head, i};
    for (int i = 0; i < 100; ++i) atomic_head.store(new Node{atomic_head.load(), i});
  });
}

TEST(Kept, ByAnotherThread) {
  ExpectNoLeak([] {
    std::thread([] { head = new Node; }).join();
    std::thread([] { atomic_head.store(new Node); }).join();
  });
}

TEST(Kept, ByMarkedPointers) {
  static uintptr_t marked[3];
  ExpectNoLeak([] {
    marked[0] = reinterpret_cast<uintptr_t>(Hide(new Node)) | 1;
    marked[1] = reinterpret_cast<uintptr_t>(Hide(new Node)) | uintptr_t{0xABCD} << 48;
    marked[2] = reinterpret_cast<uintptr_t>(Hide(new Node)) << 16 | 0x1234;
    Hide(&marked);
  });
}

TEST(Kept, InsideAndAtTheEnd) {
  static char* pointers[2];
  ExpectNoLeak([] {
    pointers[0] = Hide(new char[100]) + 50;
    pointers[1] = Hide(new char[100]) + 100;
    Hide(&pointers);
  });
}

TEST(Kept, InPackedStructures) {
  struct [[gnu::packed]] Packed {
    char c;
    Node* node;
  };
  static Packed* packed;
  ExpectNoLeak([] {
    packed = new Packed{'x', nullptr};
    Hide(&packed);
    auto* const node = Hide(new Node);
    std::memcpy(reinterpret_cast<char*>(packed) + 1, &node, sizeof(node));
  });
  static Packed globals[3];  // two of them across a word's end
  for (Packed& global : globals) {
    ExpectNoLeak([&global] {
      auto* const node = Hide(new Node);
      std::memcpy(reinterpret_cast<char*>(&global) + 1, &node, sizeof(node));
    });
  }
}

TEST(Kept, InThreadLocals) {
  thread_local Node* mine = nullptr;
  ExpectNoLeak([] {
    const auto fill = [] {
      thread_local std::vector<int> vector;
      vector.assign(100, 1);
      mine = new Node;
      Hide(&mine);
    };
    std::thread([fill] {
      fill();
      delete mine;
    }).join();
    fill();
  });
}

// What only a variable of a thread that has ended points to nobody can free.
TEST(Lost, WithAThreadsVariables) {
  thread_local Node* mine = nullptr;
  ExpectLeak("a block of 16 bytes that thread 1", [] {
    std::thread([] {
      mine = new Node;
      Hide(&mine);
    }).join();
  });
  // The variable of another thread than the one that has passed its declaration is not constructed,
  // and so not destroyed.
  thread_local std::vector<int> vector;
  ExpectLeak("a block of 400 bytes that thread 1",
             [] { std::thread([] { vector.assign(100, 1); }).join(); });
}

// ... until the thread ends, if nobody destroys the value then.
TEST(Leaks, ValueOfAKeyWithoutADestructor) {
  ExpectLeak("a block of 48 bytes", [] {
    pthread_key_t key;
    pthread_key_create(&key, nullptr);
    std::thread([key] {
      pthread_setspecific(key, std::calloc(1, 48));
      TakeStep();
    }).join();
    pthread_key_delete(key);
  });
}

TEST(Kept, ByKeysOfThreads) {
  ExpectNoLeak([] {
    pthread_key_t with_destructor, without;
    pthread_key_create(&with_destructor, [](void* value) { delete static_cast<Node*>(value); });
    pthread_key_create(&without, nullptr);
    pthread_setspecific(with_destructor, new Node);
    pthread_setspecific(without, new Node);
  });
}

TEST(Kept, ByWhatTheTestKeepsOutside) {
  std::vector<Node*> outside(1000);
  Node* local = nullptr;
  size_t next = 0;
  ExpectNoLeak([&] {
    local = new Node;
    outside[next++] = new Node{new Node, 1};
  });
}

TEST(Kept, ByTheProgramUntilItsEnd) {
  class Body : public Program {
   public:
    int ThreadCount() const override { return 2; }
    void Begin() override {
      node_ = new Node;
      pthread_key_t key;
      pthread_key_create(&key, nullptr);
      pthread_setspecific(key, new Node);
    }
    void RunThread(int) override {
      TakeStep();
      texts_[CurrentThread()] = new std::string(100, 'x');
    }

   private:
    Node* node_ = nullptr;
    std::string* texts_[2] = {};
  } body;
  RandomWalk walk(1);
  ExploreOptions options;
  options.executions = 20;
  EXPECT_EQ(Explore(body, walk, options).verdict.message, "");
}

TEST(Kept, ByTheLibraries) {
  ExpectNoLeak([] {
    // The locale belongs to the library, and holds a facet of the program.
    static std::locale* const locale =
        new std::locale(std::locale::classic(), new std::numpunct<char>);
    std::ostringstream stream;
    stream.imbue(*locale);
    stream << 1'000'000;
    static char* const buffer = new char[BUFSIZ];
    static std::FILE* const file = fmemopen(buffer, BUFSIZ, "w");
    std::fputs("a text", file);
    std::fflush(file);
    try {
      throw std::runtime_error("a text that is too long to be kept in place");
    } catch (...) {
      error = std::current_exception();
    }
  });
}

TEST(Kept, ByALibraryAlone) {
  ExpectNoLeak([] {
    std::FILE* const file = std::fopen("/dev/null", "w");
    Check(file != nullptr, "opened");
    auto* const buffer = Hide(static_cast<char*>(std::malloc(BUFSIZ)));
    Check(setvbuf(file, buffer, _IOFBF, BUFSIZ) == 0, "takes the buffer");
    static std::FILE* const keeps = file;
    Hide(keeps);
  });
}

TEST(Kept, NothingIsSaidOfExecutionsThatFail) {
  const Verdict verdict = Judge([] {
    Hide(new Node);
    Fail("planted", "given up");
  });
  EXPECT_EQ(verdict.signature, "invariant|planted");
}

}  // namespace
}  // namespace jacquard
