// Streams of pipes and sockets, by which threads hand over.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <functional>
#include <string>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/descriptors.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

FILE* Open(int descriptor, const char* mode) {
  FILE* const stream = fdopen(descriptor, mode);
  Check(stream != nullptr, "opened");
  return stream;
}

// A server that adds, and a client.
void AddByLines(int server_in, int server_out, int client_in, int client_out, bool flushes) {
  int served = 0;
  std::thread server([&] {
    FILE* const in = Open(server_in, "r");
    FILE* const out = Open(server_out, "w");
    char line[32];
    int a = 0;
    int b = 0;
    while (fgets(line, sizeof(line), in) != nullptr && sscanf(line, "%d %d", &a, &b) == 2) {
      ++served;
      fprintf(out, "%d\n", a + b);
      fflush(out);
    }
    Check(feof(in) != 0, "the client has ended");
    fclose(in);
    fclose(out);
  });
  FILE* const in = Open(client_in, "r");
  FILE* const out = Open(client_out, "w");
  for (int round = 1; round <= 2; ++round) {
    fprintf(out, "%d 2\n", round);
    if (flushes) fflush(out);
    int sum = 0;
    Check(fscanf(in, "%d", &sum) == 1 && sum == round + 2, "the sum");
    Check(served == round, "without a race");
  }
  fclose(out);
  server.join();
  Check(fgetc(in) == '\n' && fgetc(in) == EOF, "the server has ended");
  fclose(in);
}

void AddByPipes(bool flushes) {
  const Pipe there;
  const Pipe back;
  AddByLines(there.ends[0], back.ends[1], back.ends[0], there.ends[1], flushes);
}

TEST(DescriptorStreams, WaitForEachOther) {
  ExpectAllPass([] { AddByPipes(/*flushes=*/true); });
  ExpectPass(Walk([] {
    const Sockets there;
    const Sockets back;
    AddByLines(there.ends[0], back.ends[1], back.ends[0], there.ends[1], /*flushes=*/true);
  }));
}

TEST(DescriptorStreams, ThatAreNotFlushedAreADeadlock) {
  const Verdict verdict = WalkAFew([] { AddByPipes(/*flushes=*/false); }).verdict;
  EXPECT_EQ(verdict.kind, VerdictKind::kDeadlock);
  EXPECT_NE(verdict.message.find("thread 0 is in a read that waits for descriptor "),
            std::string::npos)
      << verdict.message;
}

// As far as the buffers of the C library allow.
TEST(DescriptorStreams, OrderOnlyWhatIsHandedOver) {
  const auto body = [](bool before) {
    return [before] {
      const Pipe pipe;
      int value = 0;
      std::thread writer([&] {
        FILE* const out = Open(pipe.ends[1], "w");
        if (before) ++value;
        fputs("x", out);
        fclose(out);
        if (!before) ++value;
      });
      FILE* const in = Open(pipe.ends[0], "r");
      Check(fgetc(in) == 'x', "read");
      ++value;
      writer.join();
    };
  };
  ExpectAllPass(body(/*before=*/true));
  EXPECT_EQ(SearchAll(body(/*before=*/false)).verdict.kind, VerdictKind::kRace);
}

// Two pages are more than there is room for in the stream, and 17 more than in the pipe.
TEST(DescriptorStreams, WaitForRoom) {
  ExpectPass(Walk(
      [] {
        const Pipe pipe;
        constexpr size_t kSize = 17 * 4096;
        std::thread writer([&] {
          FILE* const out = Open(pipe.ends[1], "w");
          const std::string text(kSize, 'x');
          Check(fwrite(text.data(), 1, kSize, out) == kSize, "all of it");
          fclose(out);
        });
        FILE* const in = Open(pipe.ends[0], "r");
        size_t size = 0;
        while (fgetc(in) == 'x') ++size;
        Check(size == kSize, "read");
        writer.join();
      },
      20));
}

TEST(DescriptorStreams, AreStreamsOfTheDescriptor) {
  ExpectPass(WalkAFew([] {
    std::thread([] {}).join();
    const Pipe pipe;
    FILE* const out = Open(pipe.ends[1], "a");
    Check(fileno(out) == pipe.ends[1] && fileno_unlocked(out) == pipe.ends[1], "its number");
    errno = 0;
    Check(fdopen(pipe.ends[1], "r") == nullptr && errno == EINVAL, "one cannot read there");
    Check(fdopen(pipe.ends[0], "r+") == nullptr && errno == EINVAL, "nor write here");
    Check(fdopen(pipe.ends[0], "x") == nullptr && errno == EINVAL, "no mode");
    errno = 0;
    Check(fclose(out) == 0 && close(pipe.ends[1]) == -1 && errno == EBADF, "closed with it");
    FILE* const in = Open(pipe.ends[0], "r");
    close(pipe.ends[0]);
    Check(fgetc(in) == EOF && ferror(in) != 0, "not open any more");
    Check(fclose(in) == EOF, "nor to be closed");
    const Sockets sockets;
    FILE* const both = Open(sockets.ends[0], "r+");
    Check(fputs("there\n", both) >= 0 && fflush(both) == 0, "one way");
    char text[8] = {};
    Check(read(sockets.ends[1], text, sizeof(text)) == 6, "it is there");
    Check(write(sockets.ends[1], "back\n", 5) == 5, "and the other");
    Check(fgets(text, sizeof(text), both) != nullptr && std::string(text) == "back\n", "back");
    FILE* const file = tmpfile();
    FILE* const second = fdopen(dup(fileno(file)), "w+");
    Check(fputs("text", second) >= 0 && fseek(second, 0, SEEK_SET) == 0, "a file has places");
    Check(fgetc(second) == 't', "as ever");
  }));
}

// Nobody reads what a stream still has in the end, and a signal would end the process.
TEST(DescriptorStreams, AreClosedWithTheExecution) {
  int first = -1;
  ExpectPass(WalkAFew([&first] {
    std::thread([] {}).join();
    const Pipe pipe;
    if (first < 0) first = pipe.ends[0];
    Check(pipe.ends[0] == first, "the last execution's is closed");
    FILE* const out = Open(pipe.ends[1], "w");
    Check(fputs("text", out) >= 0, "it is in the buffer");
    close(pipe.ends[0]);
    const Sockets sockets;
    Check(fputs("text", Open(sockets.ends[0], "w")) >= 0, "so is this");
    close(sockets.ends[1]);
  }));
}

// In the middle of a wait, too.
TEST(DescriptorStreams, AreGivenUp) {
  for (int i = 0; i < 3; ++i) {
    const Verdict verdict = WalkAFew([] {
                              const Pipe pipe;
                              std::thread waiter([&] { fgetc(Open(pipe.ends[0], "r")); });
                              fgetc(Open(Pipe().ends[0], "r"));
                              waiter.join();
                            }).verdict;
    EXPECT_EQ(verdict.kind, VerdictKind::kDeadlock) << verdict.message;
  }
}

}  // namespace
}  // namespace jacquard
