// What the C++ library's classes demand of who calls them and do not check, in a program that has
// nothing else of libstdc++'s that waits.
#include <gtest/gtest.h>

#include <semaphore>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

template <class Semaphore>
void ReleaseTwice() {
  Semaphore semaphore(1);
  std::thread other([&semaphore] { semaphore.release(); });
  semaphore.release();
  other.join();
  semaphore.acquire();
}

TEST(LibraryContracts, SemaphoresStayWithinTheirMaximum) {
  ExpectVerdict(ReleaseTwice<std::counting_semaphore<2>>, "misuse|semaphore overflow");
  ExpectPass(Walk(ReleaseTwice<std::counting_semaphore<3>>));
}

}  // namespace
}  // namespace jacquard
