// Reads numbers from standard input, in the way that the argument says. Their sum must be 7.
#include <unistd.h>

#include <cassert>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <thread>

namespace {

int Sum(const char* way) {
  int sum = 0;
  int number;
  if (std::strcmp(way, "stdio") == 0) {
    while (std::scanf("%d", &number) == 1) sum += number;
  } else if (std::strcmp(way, "read") == 0) {
    char digit;
    while (read(STDIN_FILENO, &digit, 1) == 1) sum += digit == '\n' ? 0 : digit - '0';
  } else {
    if (std::strcmp(way, "unsynchronised") == 0) std::ios::sync_with_stdio(false);
    while (std::cin >> number) sum += number;
  }
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  int sum = 0;
  std::thread([&] { sum = argc > 1 ? Sum(argv[1]) : 0; }).join();
  assert(sum == 7);
}
