// The codec: every byte string decodes, encodings are canonical, and no record depends on another.
#include "fuzzers/codec.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "fuzzers/text.h"
#include "tests/fuzzers/toy_scenario.h"

namespace jacquard::fuzzers {
namespace {

using Bytes = std::vector<uint8_t>;

const Codec& ToyCodec() {
  static const Codec codec(ScenarioTypeOf<ToyScenario>("ToyScenario"));
  return codec;
}

Input Decode(const Bytes& bytes) {
  Input input;
  ToyCodec().Decode(bytes, input);
  return input;
}

// decode(encode(s)) == s, and encoding is a fixed point.
void ExpectRoundTrip(const Bytes& bytes) {
  const Input input = Decode(bytes);
  const Bytes canonical = ToyCodec().Encode(input);
  ASSERT_EQ(Decode(canonical), input) << FormatText(ToyCodec(), input);
  ASSERT_EQ(ToyCodec().Encode(Decode(canonical)), canonical);
}

TEST(Codec, CountsCalls) {
  // 1 + 3 + 2*4 + 2*3*2 + 1.
  EXPECT_EQ(ToyCodec().call_count(), 25);
  EXPECT_EQ(ToyCodec().CallAt(0), (Call{0, {}}));
  EXPECT_EQ(ToyCodec().CallAt(3), (Call{1, {2}}));
  EXPECT_EQ(ToyCodec().CallAt(4 + 4 + 3), (Call{2, {1, 3}}));
  EXPECT_EQ(ToyCodec().CallAt(12 + 6 + 2 * 2 + 1), (Call{3, {1, 2, 1}}));
  EXPECT_EQ(ToyCodec().CallAt(24), (Call{4, {}}));
}

TEST(Codec, EmptyBytesAreTheEmptyInput) {
  for (const Bytes& bytes : {Bytes{}, Bytes{kVersion}, Bytes{kVersion, 7}}) {
    const Input input = Decode(bytes);
    EXPECT_EQ(input.threads(), 1);
    EXPECT_TRUE(input.calls(0).empty());
    EXPECT_TRUE(input.exceptions().empty());
  }
}

TEST(Codec, AnotherVersionIsTheEmptyInput) {
  for (int version = 0; version < 256; ++version) {
    const Bytes bytes = {static_cast<uint8_t>(version), 0, 0, 0x80, 0};
    const bool known = version == 1 || version == 2;
    EXPECT_EQ(Decode(bytes) == Decode({}), !known);
    std::string why;
    EXPECT_EQ(Codec::Recognise(bytes, &why), known);
  }
}

TEST(Codec, WhatLibFuzzerBeginsWithIsTheEmptyInput) {
  std::string why;
  EXPECT_TRUE(Codec::Recognise(Bytes{'\n'}, &why));
  EXPECT_EQ(Decode({'\n'}), Decode({}));
  EXPECT_FALSE(Codec::Recognise(Bytes{'\n', '\n'}, &why));
}

TEST(Codec, ReadsRecords) {
  const Input input = Decode({kVersion, 0, 0, 2, 3, 0x81, 4, 0, 24, 0x80, 255, 0xff, 254});
  ASSERT_EQ(input.threads(), 3);
  ASSERT_EQ(input.calls(0).size(), 2u);
  EXPECT_EQ(input.calls(0)[1], (Call{4, {}}));
  EXPECT_TRUE(input.calls(1).empty());
  ASSERT_EQ(input.calls(2).size(), 1u);
  EXPECT_EQ(input.calls(2)[0], (Call{1, {2}}));
  ASSERT_EQ(input.exceptions().size(), 2u);
  EXPECT_EQ(input.exceptions()[0], (Exception{4, 1}));
  EXPECT_EQ(input.exceptions()[1], (Exception{509, 127}));
}

TEST(Codec, ReadsExceptionsOfMemory) {
  const Input input = Decode({kVersion, 0x40, 3, 0x81, 4, 0x7f, 255, 0x45, 254, 0x40, 255});
  EXPECT_TRUE(input.calls(0).empty());
  ASSERT_EQ(input.exceptions().size(), 1u);
  EXPECT_EQ(input.exceptions()[0], (Exception{4, 1}));
  ASSERT_EQ(input.memory_exceptions().size(), 2u);
  EXPECT_EQ(input.memory_exceptions()[0], (Exception{3, 0}));
  EXPECT_EQ(input.memory_exceptions()[1], (Exception{509, 5}));
  ExpectRoundTrip({kVersion, 0x40, 3, 0x81, 4, 0x7f, 255, 0x45, 254, 0x40, 255});
}

// Corpora from before there was weak memory.
TEST(Codec, ReadsVersionOne) {
  const Input input = Decode({1, 0, 0, 0x42, 3, 0x81, 4, 0xff, 254});
  ASSERT_EQ(input.calls(0).size(), 2u);  // 0x42 modulo 3 threads
  EXPECT_EQ(input.calls(0)[1], (Call{1, {2}}));
  EXPECT_TRUE(input.memory_exceptions().empty());
  ASSERT_EQ(input.exceptions().size(), 2u);
  EXPECT_EQ(input.exceptions()[1], (Exception{254, 127}));
}

// Written again, it is of the present version and means the same; that one will not change.
TEST(Codec, ConvertsVersionOne) {
  EXPECT_EQ(kVersion, 2);
  const Bytes of_version_one = {1, 0, 0, 0x42, 3, 0x81, 4, 0xff, 254};
  const Input input = Decode(of_version_one);
  const Bytes converted = ToyCodec().Encode(input);
  EXPECT_EQ(converted, (Bytes{2, 0, 0, 0, 3, 0x81, 4, 0xff, 254}));
  EXPECT_EQ(Decode(converted), input);
}

TEST(Codec, RoundTripsAllShortInputs) {
  ExpectRoundTrip({});
  for (int a = 0; a < 256; ++a) {
    ExpectRoundTrip({kVersion, static_cast<uint8_t>(a)});
    for (int b = 0; b < 256; ++b) {
      ExpectRoundTrip({kVersion, static_cast<uint8_t>(a), static_cast<uint8_t>(b)});
    }
  }
}

TEST(Codec, RoundTripsAllPairsOfInterestingRecords) {
  const Bytes heads = {0, 1, 2, 3, 63, 64, 65, 127, 128, 129, 255};
  const Bytes tails = {0, 1, 24, 25, 49, 253, 254, 255};
  for (const uint8_t a : heads) {
    for (const uint8_t b : tails) {
      for (const uint8_t c : heads) {
        for (const uint8_t d : tails) ExpectRoundTrip({kVersion, a, b, c, d});
      }
    }
  }
}

TEST(Codec, RoundTripsRandomBytes) {
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) {
    Bytes bytes(random() % 1200);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    if (!bytes.empty()) bytes[0] = kVersion;
    ExpectRoundTrip(bytes);
    if (HasFatalFailure()) return;
  }
}

TEST(Codec, KeepsToTheLimits) {
  Bytes operations(1 + 2 * 100, 0);
  operations[0] = kVersion;
  EXPECT_EQ(Decode(operations).calls(0).size(), size_t{kMaxOperations});
  Bytes exceptions(1 + 2 * 1000, 0x80);
  exceptions[0] = kVersion;
  EXPECT_EQ(Decode(exceptions).exceptions().size(), size_t{kMaxExceptions});
  // The sum of carried gaps saturates.
  Bytes gaps = {kVersion};
  for (int i = 0; i < 1000; ++i) gaps.insert(gaps.end(), {0x80, 255});
  gaps.insert(gaps.end(), {0x85, 3});
  ASSERT_EQ(Decode(gaps).exceptions().size(), 1u);
  EXPECT_EQ(Decode(gaps).exceptions()[0], (Exception{kMaxGap, 5}));
  ExpectRoundTrip(gaps);
}

// What makes inputs mutate and shrink well.
TEST(Codec, DeletingARecordLeavesTheOthersAlone) {
  std::mt19937 random(2);
  for (int i = 0; i < 2000; ++i) {
    Bytes bytes = {kVersion};
    for (int r = 0; r < 12; ++r) {
      bytes.push_back(static_cast<uint8_t>(random()));
      bytes.push_back(static_cast<uint8_t>(random() % 255));  // no record carries on
    }
    const Input whole = Decode(bytes);
    const size_t victim = 1 + 2 * (random() % 12);
    const bool is_exception = (bytes[victim] & 0x80) != 0;
    const bool is_of_memory = !is_exception && (bytes[victim] & 0x40) != 0;
    const int thread = (bytes[victim] & 0x7f) % ToyScenario::kMaxThreads;
    bytes.erase(bytes.begin() + static_cast<int>(victim),
                bytes.begin() + static_cast<int>(victim) + 2);
    const Input rest = Decode(bytes);
    ASSERT_EQ(rest.exceptions().size() + is_exception, whole.exceptions().size());
    ASSERT_EQ(rest.memory_exceptions().size() + is_of_memory, whole.memory_exceptions().size());
    const bool is_call = !is_exception && !is_of_memory;
    for (int t = 0; t < rest.threads(); ++t) {
      ASSERT_EQ(rest.calls(t).size() + (is_call && t == thread), whole.calls(t).size());
    }
  }
}

TEST(Codec, Reshapes) {
  Input input = Decode({kVersion, 0, 5, 1, 6, 0x80, 3});
  ToyCodec().Reshape(3, 4, input);
  ASSERT_EQ(input.threads(), 3);
  for (int t = 0; t < 3; ++t) EXPECT_EQ(input.calls(t).size(), 4u);
  EXPECT_EQ(input.calls(0)[0], ToyCodec().CallAt(5));
  EXPECT_EQ(input.calls(1)[0], ToyCodec().CallAt(6));
  EXPECT_EQ(input.exceptions().size(), 1u);
  ToyCodec().Reshape(1, 1, input);
  EXPECT_EQ(input.threads(), 1);
  EXPECT_EQ(input.calls(0).size(), 1u);
}

TEST(Codec, NamesTheTarget) {
  EXPECT_EQ(ToyCodec().name(), "toy");
  EXPECT_EQ(TargetName({.class_name = "my::VmaLockScenario"}), "vma_lock");
  EXPECT_EQ(TargetName({.class_name = "Scenario"}), "scenario");
  EXPECT_EQ(TargetName({.class_name = "X", .name = "given"}), "given");
}

TEST(Codec, TellsTheAuthorWhatIsWrongWithATable) {
  const ScenarioType good = ScenarioTypeOf<ToyScenario>("ToyScenario");
  EXPECT_EQ(Codec::Problem(good), "");

  ScenarioType type = good;
  type.operation_count = 0;
  EXPECT_EQ(Codec::Problem(type), "Operations() is empty");

  type = good;
  type.min_threads = 4;
  EXPECT_EQ(Codec::Problem(type), "kMinThreads is 4; 1 to kMaxThreads (3) are allowed");

  OperationType twins[2] = {good.operations[0], good.operations[0]};
  type = good;
  type.operations = twins;
  type.operation_count = 2;
  EXPECT_EQ(Codec::Problem(type), "two operations are called \"none\"");

  OperationType odd = good.operations[1];
  type.operations = &odd;
  type.operation_count = 1;
  odd.name = "two words";
  EXPECT_NE(Codec::Problem(type).find("lower-case"), std::string::npos);
  odd.name = "one";
  odd.arguments[0].count = 0;
  EXPECT_EQ(Codec::Problem(type), "one: argument a has 0 values; 1 to 256 are allowed");

  OperationType large = good.operations[2];
  large.arguments[0].count = 30;
  large.arguments[1].count = 30;
  type.operations = &large;
  EXPECT_NE(Codec::Problem(type).find("make 900 calls"), std::string::npos);
}

// The table of operations reaches the methods, with their arguments and results.
TEST(Scenario, RunsOperations) {
  const ScenarioType& type = ScenarioTypeOf<ToyScenario>("ToyScenario");
  auto* toy = static_cast<ToyScenario*>(type.create());
  const auto run = [&](int operation, std::vector<int> arguments) {
    const OperationType& o = type.operations[operation];
    arguments.resize(kMaxArguments);
    const char* result = o.run(toy, o.method, arguments.data());
    return std::string(result == nullptr ? "" : result);
  };
  EXPECT_EQ(run(4, {}), "true");
  EXPECT_EQ(run(0, {}), "");
  EXPECT_EQ(run(4, {}), "false");
  EXPECT_EQ(run(1, {2}), "true");
  EXPECT_EQ(run(1, {1}), "false");
  EXPECT_EQ(run(2, {1, 3}), "two");
  EXPECT_EQ(run(3, {1, 2, 1}), "");
  EXPECT_EQ(toy->sum, 1 + 20 + 10 + 3100 + 9);
  EXPECT_EQ(type.check_invariant, nullptr);
  EXPECT_EQ(type.after_step, nullptr);
  type.destroy(toy);
}

}  // namespace
}  // namespace jacquard::fuzzers
