// A server that answers lines, by streams of pipes that a constructor has opened. Nobody closes the
// streams: the next execution must find the pipes open, and empty.
#include <unistd.h>

#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "tests/programs/programs.h"

namespace {

struct Channel {
  Channel() {
    [[maybe_unused]] const int opened = pipe(ends);
    assert(opened == 0);
  }
  std::FILE* Reader() const { return fdopen(ends[0], "r"); }
  std::FILE* Writer() const { return fdopen(ends[1], "w"); }
  int ends[2];
};
Channel questions;
Channel answers;

int answered = 0;

void Serve(bool counts_late) {
  std::FILE* const in = questions.Reader();
  std::FILE* const out = answers.Writer();
  char line[16];
  while (std::fgets(line, sizeof(line), in) != nullptr && std::atoi(line) != 0) {
    if (!counts_late) ++answered;
    std::fprintf(out, "%d\n", 2 * std::atoi(line));
    std::fflush(out);
    if (counts_late) ++answered;
  }
}

}  // namespace

void LineServer(bool broken) {
  std::thread server(Serve, broken);
  std::FILE* const out = questions.Writer();
  std::FILE* const in = answers.Reader();
  for (int question = 1; question <= 2; ++question) {
    std::fprintf(out, "%d\n", question);
    std::fflush(out);
    [[maybe_unused]] int answer = 0;
    [[maybe_unused]] const int read = std::fscanf(in, "%d", &answer);
    assert(read == 1 && answer == 2 * question && answered == question);
  }
  std::fputs("0\nnobody reads this", out);
  std::fflush(out);
  server.join();
  std::fputs("and this is never written", out);
}
