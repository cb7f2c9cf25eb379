// What a program makes of the state of the C++ library and of the C library, by objects of its own
// that it does not take back: each execution is to find it as it was.
#include <atomic>
#include <cassert>
#include <clocale>
#include <iostream>
#include <locale>
#include <memory_resource>
#include <mutex>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/programs/programs.h"

namespace {

// What the C++ library has allocated for these before main begins each execution anew, too.
const std::locale early_locale(std::locale(), "C.UTF-8", std::locale::numeric);
std::pmr::synchronized_pool_resource early_pool;
const bool early_pool_is_used = (early_pool.deallocate(early_pool.allocate(16), 16), true);

class Points : public std::numpunct<char> {
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

void CheckThatAllIsAsItWas() {
  assert(std::string_view(std::setlocale(LC_ALL, nullptr)) == "C");
  assert(std::locale() == std::locale::classic());
  assert(std::pmr::get_default_resource() == std::pmr::new_delete_resource());
  assert(std::cout.getloc() == std::locale::classic());
  assert(std::cout.good() && std::cout.fill() == ' ' &&
         std::cerr.exceptions() == std::ios::goodbit);
}

void ChangeAll() {
  std::setlocale(LC_ALL, "C.UTF-8");
  std::locale::global(std::locale(std::locale(), new Points));
  std::cout.imbue(std::locale());
  std::cout.fill('*');
  std::cout << 1'000'000 << std::endl;
  std::cout.setstate(std::ios::failbit);
  std::cerr.exceptions(std::ios::badbit);
  std::pmr::set_default_resource(new std::pmr::synchronized_pool_resource);
}

}  // namespace

void LibraryState(bool broken) {
  CheckThatAllIsAsItWas();
  ChangeAll();
  std::mutex mutex;
  std::pmr::vector<std::pmr::string> texts;
  const auto add = [&](int number, bool locks) {
    std::string before(300, 'x');  // where the next execution may look for what is gone
    std::ostringstream early;
    early.imbue(early_locale);
    early << number << 1.5;
    std::string behind(300, 'y');
    early_pool.deallocate(early_pool.allocate(100), 100);
    std::ostringstream text;
    text << number;
    std::unique_lock lock(mutex, std::defer_lock);
    if (locks) lock.lock();
    texts.emplace_back(text.str() + " is longer than what a string has room for");
  };
  std::thread a(add, 1234, true);
  std::thread b(add, 5678, !broken);
  a.join();
  b.join();
  for (const std::pmr::string& text : texts) assert(text[1] == '.');
  assert(texts.size() == 2 && early_pool_is_used);
  early_pool.release();
}
