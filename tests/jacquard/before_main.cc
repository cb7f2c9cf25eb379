// What constructors of globals have done before main is there in each execution, as they left it.
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

int destroyed = 0;
bool destructor_fails = false;

struct Counted {
  Counted() : text(100, 'a') {}
  ~Counted() {
    if (text.size() != 150 || destructor_fails) std::abort();
    ++destroyed;
  }
  std::string text;
};

thread_local int number = 1;
thread_local Counted counted;
thread_local std::vector<int> numbers;

std::recursive_mutex locked;
pthread_key_t key;

struct Early {
  Early() {
    locked.lock();
    pthread_key_create(&key, nullptr);
    if (pipe(ends) != 0) std::abort();
    pthread_setspecific(key, this);
    number = 2;
    numbers.assign(1000, 3);
    address = &number;
    counted.text += "b";
    // Time passes before main as it does in it: without waiting.
    std::this_thread::sleep_for(std::chrono::minutes(1));
    std::mutex mutex;
    std::condition_variable never;
    std::unique_lock lock(mutex);
    waited = never.wait_for(lock, std::chrono::minutes(1)) == std::cv_status::timeout;
  }
  const std::thread::id thread = std::this_thread::get_id();
  const pthread_t pthread = pthread_self();
  const pid_t tid = gettid();
  int* address = nullptr;
  bool waited = false;
  int ends[2];
  const std::chrono::steady_clock::time_point steady = std::chrono::steady_clock::now();
  const std::chrono::system_clock::time_point wall = std::chrono::system_clock::now();
  const time_t seconds = time(nullptr);
  // More than what the C library takes from the system block by block.
  std::vector<int> large = std::vector<int>(100'000, 7);
  // By itself, of which half is given back.
  std::atomic<int>* const mapped = Map();

  static std::atomic<int>* Map() {
    constexpr size_t kPage = 4096;
    auto* const memory = static_cast<char*>(
        mmap(nullptr, 4 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (memory == MAP_FAILED || munmap(memory + 2 * kPage, 2 * kPage) != 0) std::abort();
    return new (memory + kPage) std::atomic<int>[2]{3, 4};
  }
} early;

int Fail(const char* what) {
  std::fprintf(stderr, "not as it was: %s\n", what);
  return 1;
}

}  // namespace

// Since a constructor has looked.
template <class Clock>
bool IsSoonAfter(std::chrono::time_point<Clock> then) {
  const auto passed = Clock::now() - then;
  return passed > passed.zero() && passed < std::chrono::hours(2);
}

bool IsIn(char** environment, const std::string& entry) {
  for (; *environment != nullptr; ++environment) {
    if (*environment == entry) return true;
  }
  return false;
}

// Nobody writes there.
int ReadForEver(bool closes_other_end) {
  if (closes_other_end) close(early.ends[1]);
  char byte = 0;
  return static_cast<int>(read(early.ends[0], &byte, 1));
}

// Another thread writes the first one's own variable.
int LetOtherWrite(bool releases) {
  std::atomic<bool> written = false;
  int* const own = &number;
  std::thread other([&] {
    *own = 5;
    // Pairs with the load, if it is to.
    written.store(true, releases ? std::memory_order_release : std::memory_order_relaxed);
  });
  while (!written.load(std::memory_order_acquire)) std::this_thread::yield();
  const bool is_there = number == 5;
  other.join();
  counted.text.resize(150);  // as its destructor wants it
  return is_there ? 0 : Fail("what the other one has written");
}

int main(int argc, char** argv, char** environment) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "reads" || mode == "closes") return ReadForEver(mode == "closes");
  if (mode == "shares" || mode == "races") return LetOtherWrite(mode == "shares");
  if (mode == "moves") return mremap(early.mapped, 1, 1 << 20, MREMAP_MAYMOVE) == MAP_FAILED;
  if (errno != 0) return Fail("errno");
  if (environment != environ || IsIn(environment, "PATH=changed")) return Fail("the environment");
  setenv("PATH", "changed", 1);
  unsetenv("HOME");
  if (!IsIn(environment, "PATH=changed")) return Fail("the change");
  if (!early.waited) return Fail("the wait");
  errno = EINVAL;
  if (!IsSoonAfter(early.steady) || !IsSoonAfter(early.wall) ||
      time(nullptr) - early.seconds > 7200 || time(nullptr) < early.seconds)
    return Fail("the time");
  if (early.thread != std::this_thread::get_id() || !pthread_equal(early.pthread, pthread_self()))
    return Fail("the thread");
  if (early.tid != gettid() || gettid() != getpid() || syscall(SYS_gettid) != getpid())
    return Fail("the thread's number");
  if (number != 2 || &number != early.address || *early.address != 2)
    return Fail("a thread-local number");
  if (counted.text.size() != 101) return Fail("a thread-local object");
  if (numbers != std::vector<int>(1000, 3)) return Fail("a thread-local vector");
  if (early.large.front() != 7 || early.large.back() != 7) return Fail("a large vector");
  if (early.mapped[0] != 3 || early.mapped[1] != 4) return Fail("what has been mapped");
  if (pthread_getspecific(key) != &early) return Fail("the value of a key");
  if (destroyed != 0) return Fail("a static number");

  locked.lock();
  locked.unlock();
  locked.unlock();

  pthread_setspecific(key, nullptr);

  ++early.mapped[0];
  number = 4;
  numbers.push_back(5);
  counted.text.resize(150);
  early.large.back() = 6;
  std::atomic<int> seen = 0;
  std::thread other([&] {
    const std::lock_guard guard(locked);
    early.large.push_back(8);
    ++early.mapped[1];
    if (pthread_getspecific(key) == nullptr && number == 1 && counted.text.size() == 100 &&
        numbers.empty())
      seen = 1;
    counted.text.resize(150);
    if (std::this_thread::get_id() == early.thread || gettid() == getpid()) seen = 2;
  });
  other.join();
  // The next execution may write there.
  mprotect(early.mapped, 1, PROT_READ);
  munmap(early.mapped, 1);
  destructor_fails = argc > 1;  // that of main's own object is still to come
  return seen == 1 && early.large.size() == 100'001 && destroyed == 1 ? 0 : Fail("the other one");
}
