// An ordinary C++ program: a global with a constructor, a detached thread, no word about Jacquard.
#include <atomic>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Log {
  Log() { std::puts("constructed"); }
  ~Log() { std::puts("destroyed"); }
  std::vector<std::string> lines = {"first"};
  std::atomic<int> size{1};
} log;

}  // namespace

int main(int argc, char** /*argv*/) {
  if (log.lines.size() != 1 || log.size != 1) return 7;
  std::thread([] { log.size.fetch_add(1); }).detach();
  log.lines.push_back("second");
  return log.size.load() == 2 && argc > 1 ? 4 : 0;
}
