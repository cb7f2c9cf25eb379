// Data races around what the C++ library does without hooks: exceptions that threads share.
#include <gtest/gtest.h>

#include <exception>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

// The handlers of two threads have one object.
TEST(Race, ExceptionObject) {
  struct Own {
    int data = 0;
  };
  const auto body = [] {
    auto pointer = std::make_exception_ptr(Own());
    const auto use = [](std::exception_ptr mine) {
      try {
        std::rethrow_exception(std::move(mine));
      } catch (Own& own) {
        own.data = 1;
      }
    };
    std::thread other(use, pointer);
    use(std::move(pointer));
    other.join();
  };
  ExpectRace(body, "plain write and plain write");
}

// Exceptions are counted by the library, without hooks.
TEST(NoRace, ExceptionPointer) {
  ExpectNoRace([] {
    std::exception_ptr pointer;
    try {
      throw std::runtime_error("of both");
    } catch (...) {
      pointer = std::current_exception();
    }
    const auto use = [](std::exception_ptr mine) {
      TakeStep();
      try {
        std::rethrow_exception(std::move(mine));
      } catch (const std::runtime_error& error) {
        Check(std::string_view(error.what()) == "of both", "read");
      }
    };
    std::thread other(use, pointer);
    use(std::move(pointer));
    other.join();
  });
}

TEST(NoRace, ExceptionOfOwnClass) {
  struct Own : std::exception {
    ~Own() override { data = 0; }
    int data = 3;
  };
  ExpectNoRace([] {
    auto pointer = std::make_exception_ptr(Own());
    const auto use = [](std::exception_ptr mine) {
      TakeStep();
      try {
        std::rethrow_exception(std::move(mine));
      } catch (const Own& own) {
        Check(own.data == 3, "read");
      }
    };
    std::thread other(use, pointer);
    use(std::move(pointer));
    other.join();
  });
}

}  // namespace
}  // namespace jacquard
