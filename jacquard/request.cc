#include "jacquard/request.h"

#include <fmt/format.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "jacquard/check_options.h"
#include "jacquard/token.h"
#include "sim/message.h"

namespace jacquard::call {
namespace {

constexpr uint64_t kDefaultExecutions = 100'000;
constexpr double kDefaultSeconds = 10;

void Refuse(Request& request, std::string problem) {
  request.refused = true;
  request.problem = std::move(problem);
}

void ReadTokens(Request& request, const std::string& text, bool for_any_body, uint32_t body) {
  if (const std::string problem = ParseTokens(text, request.tokens); !problem.empty())
    return Refuse(request, fmt::format("the replay token cannot be read: {}", problem));
  const Token& token = request.tokens.front();
  if (!for_any_body && token.body != body) {
    sim::Warn("nothing is executed here: the replay token is of another body");
    return Refuse(request, "");
  }
  if (token.build != BuildHash()) {
    sim::Warn(
        "the replay token is of another build of this program, or of another program: what it "
        "says may have another meaning here");
  }
  request.options.jobs = 1;
  request.options.execution = token.options;
  request.options.executions = request.tokens.size();
  request.options.seconds = 0;
}

// What the environment has to say of it; null: nothing.
const char* GivenToken() { return std::getenv("JACQUARD_REPLAY"); }

// What is to be replayed: the environment has the last word.
std::string TokenOf(const Options& options) {
  const char* const given = GivenToken();
  return given != nullptr ? given : options.replay;
}

}  // namespace

Request MakeRequest(const Options& options, uint32_t body) {
  Request request;
  request.options = options;
  if (const char* const text = std::getenv("JACQUARD_OPTIONS")) {
    const std::string problem = ParseOptions(text, request.options);
    if (!problem.empty()) {
      Refuse(request, "JACQUARD_OPTIONS: " + problem);
      return request;
    }
  }
  if (std::string problem = CheckOptions(request.options); !problem.empty()) {
    Refuse(request, std::move(problem));
    return request;
  }
  if (const std::string token = TokenOf(request.options); !token.empty()) {
    const bool for_any_body = GivenToken() == nullptr;
    ReadTokens(request, token, for_any_body, body);
  } else if (request.options.executions == 0 && request.options.seconds == 0) {
    request.options.executions = kDefaultExecutions;
    request.options.seconds = kDefaultSeconds;
  }
  return request;
}

}  // namespace jacquard::call

bool jacquard::WantsConstructors(const Options& options) {
  const std::string text = call::TokenOf(options);
  std::vector<call::Token> tokens;
  // What is wrong with a token is said where it is replayed.
  if (text.empty() || !call::ParseTokens(text, tokens).empty())
    return options.constructors == Constructors::kEach;
  return tokens.front().options.constructors;
}
