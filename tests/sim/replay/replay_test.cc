// 1,000 failing inputs replay exactly in fresh processes: with address randomisation as most
// systems have it, environments of different sizes, and different working folders.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace jacquard {
namespace {

std::string Binary() {
  const char* const path = std::getenv("REPLAY");
  if (path == nullptr) return {};
  char* const absolute = realpath(path, nullptr);
  if (absolute == nullptr) return {};
  std::string result = absolute;
  std::free(absolute);
  return result;
}

struct Surroundings {
  std::string folder = "/";
  std::vector<std::string> environment;
};

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& string : strings) result.push_back(string.data());
  result.push_back(nullptr);
  return result;
}

// What the binary prints, started with address randomisation on. Empty if it fails.
std::string Run(std::vector<std::string> arguments, Surroundings surroundings) {
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> envp = Pointers(surroundings.environment);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {};
  const pid_t child = vfork();
  if (child == 0) {
    personality(static_cast<unsigned long>(personality(0xFFFF'FFFF)) & ~ADDR_NO_RANDOMIZE);
    if (dup2(ends[1], STDOUT_FILENO) < 0 || chdir(surroundings.folder.c_str()) != 0) _exit(4);
    execve(argv[0], argv.data(), envp.data());
    _exit(4);
  }
  close(ends[1]);
  std::string output;
  char buffer[4096];
  for (ssize_t got; (got = read(ends[0], buffer, sizeof(buffer))) > 0;)
    output.append(buffer, static_cast<size_t>(got));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? output : std::string();
}

struct FailingInput {
  std::string program;
  std::string line;                     // as the binary prints it
  std::vector<std::string> exceptions;  // of the line
};

std::vector<FailingInput> FindFailing(const std::string& program, size_t count) {
  std::istringstream output(Run({Binary(), "find", program, std::to_string(count)}, {}));
  std::vector<FailingInput> result;
  for (std::string line; std::getline(output, line);) {
    FailingInput input = {program, line + "\n", {}};
    std::istringstream words(line);
    std::string word;
    words >> word >> word;
    while (words >> word) input.exceptions.push_back(word);
    result.push_back(input);
  }
  return result;
}

std::string Replay(const FailingInput& input, const Surroundings& surroundings) {
  std::vector<std::string> arguments = {Binary(), "run", input.program};
  arguments.insert(arguments.end(), input.exceptions.begin(), input.exceptions.end());
  return Run(arguments, surroundings);
}

Surroundings SurroundingsNumber(size_t number) {
  Surroundings result;
  constexpr const char* kFolders[] = {"/", "/usr", "/proc/self", "/usr/share/doc"};
  result.folder = kFolders[number % 4];
  for (size_t i = 0; i < number % 7; ++i)
    result.environment.push_back("FILLER" + std::to_string(i) + "=" +
                                 std::string(number * 37 % 5000, 'x'));
  return result;
}

struct Case {
  const char* program;
  size_t inputs;
};

class ReplayTest : public testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(Programs, ReplayTest,
                         testing::Values(Case{"addresses", 350}, Case{"library", 300},
                                         Case{"time", 300}, Case{"deadlock", 50}),
                         [](const auto& info) { return std::string(info.param.program); });

TEST_P(ReplayTest, IsExactInFreshProcesses) {
  const std::vector<FailingInput> inputs = FindFailing(GetParam().program, GetParam().inputs);
  ASSERT_EQ(inputs.size(), GetParam().inputs);
  std::vector<std::string> replayed(inputs.size());
  std::atomic<size_t> next = 0;
  auto work = [&] {
    for (size_t i; (i = next++) < inputs.size();)
      replayed[i] = Replay(inputs[i], SurroundingsNumber(i));
  };
  std::thread other(work);
  work();
  other.join();
  std::set<std::string> distinct;
  for (size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_EQ(replayed[i], inputs[i].line) << "input " << i;
    distinct.insert(inputs[i].line.substr(0, inputs[i].line.find(' ')));
  }
  EXPECT_GT(distinct.size(), inputs.size() / 20) << "too few different traces to tell anything";
}

// That the runtime executes itself again is what the test above relies on: without it, traces
// differ.
TEST(ReplayControl, RandomAddressesAreSeen) {
  const std::vector<FailingInput> inputs = FindFailing("addresses", 1);
  ASSERT_EQ(inputs.size(), 1u);
  Surroundings randomised;
  randomised.environment.push_back("JACQUARD_FIXED_ADDRESSES=1");
  std::set<std::string> outputs;
  for (int i = 0; i < 5; ++i) outputs.insert(Replay(inputs[0], randomised));
  EXPECT_GT(outputs.size(), 1u);
}

}  // namespace
}  // namespace jacquard
