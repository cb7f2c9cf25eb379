// Files that constructors have opened, and in which they have read the first line: a stream of each
// library, and a descriptor. Each execution reads the second one.
#include <sys/mman.h>
#include <unistd.h>

#include <cassert>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>

#include "tests/programs/programs.h"

namespace {

// Of lines of four bytes, and more than streams read ahead. It is in no folder.
class WordList {
 public:
  WordList() {
    descriptor_ = memfd_create("word list", 0);
    const std::string name = "/proc/self/fd/" + std::to_string(descriptor_);
    std::ofstream(name) << "one\ntwo\n" << std::string(1 << 14, '\n');
    stream_ = std::fopen(name.c_str(), "r");
    cxx_stream_.open(name);
    assert(descriptor_ >= 0 && stream_ != nullptr && cxx_stream_.is_open());
    ExpectNext("one\n");
  }
  void ExpectNext([[maybe_unused]] const std::string& word) {
    std::string line;
    std::getline(cxx_stream_, line);
    assert(line + '\n' == word);
    char text[8] = {};
    [[maybe_unused]] const char* const got = std::fgets(text, sizeof(text), stream_);
    assert(got == text && text == word);
    [[maybe_unused]] const ssize_t size = read(descriptor_, text, 4);
    assert(size == 4 && text == word);
  }
  // What has come to its end, and is closed, is so for this execution alone.
  void ReadAll() {
    for (std::string line; std::getline(cxx_stream_, line);) {
    }
    cxx_stream_.close();
    while (std::fgetc(stream_) != EOF) {
    }
    lseek(descriptor_, 0, SEEK_END);
    close(descriptor_);
  }

 private:
  int descriptor_;
  FILE* stream_;
  std::ifstream cxx_stream_;
};

WordList words;
std::mutex mutex;
int readers = 0;

void Read(bool locks) {
  std::unique_lock lock(mutex, std::defer_lock);
  if (locks) lock.lock();
  if (readers++ == 0) words.ExpectNext("two\n");
}

}  // namespace

void WordLists(bool broken) {
  std::thread a(Read, true);
  std::thread b(Read, !broken);
  a.join();
  b.join();
  words.ReadAll();
}
