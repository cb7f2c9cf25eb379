// Global streams of the C++ library, which it writes without hooks.
#include <cassert>
#include <iomanip>
#include <iostream>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>

#include "tests/programs/programs.h"

namespace {

std::mutex mutex;
std::stringstream stream;
int lines = 0;

void Write(int number, bool locks) {
  std::unique_lock lock(mutex, std::defer_lock);
  if (locks) lock.lock();
  stream << number << " writes a line that does not fit into the stream itself\n";
  ++lines;
  std::cout << std::hex << std::setw(4) << std::setfill('.') << 255 << std::endl;
}

}  // namespace

void Streams(bool broken) {
  std::ios::sync_with_stdio(false);
  std::thread a(Write, 1, true);
  std::thread b(Write, 2, !broken);
  a.join();
  b.join();
  int sum = 0;
  for (std::string line; std::getline(stream, line);) sum += line.at(0) - '0';
  assert(sum == 3 && lines == 2 && stream.eof());
  std::cout << "buffered\n";  // and goes out at the end, as that of a process does
}
