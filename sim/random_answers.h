// Answers of a random walk: what the runtime takes by itself, without asking a strategy.
#ifndef JACQUARD_SIM_RANDOM_ANSWERS_H_
#define JACQUARD_SIM_RANDOM_ANSWERS_H_

#include <cstddef>
#include <cstdint>

namespace jacquard {

// The choices of one execution, in their order. Not allocated with malloc, which is the code under
// test's where this is used.
class ChoiceLog {
 public:
  ChoiceLog() = default;
  ~ChoiceLog();
  ChoiceLog(const ChoiceLog&) = delete;
  ChoiceLog& operator=(const ChoiceLog&) = delete;

  void Clear() { size_ = 0; }
  void Add(bool of_memory, int choice) {
    if (IsFull()) [[unlikely]]
      Grow();
    AddAtOnce(of_memory, choice);
  }
  // The same while it is not full: nothing is called.
  bool IsFull() const { return size_ == capacity_; }
  void AddAtOnce(bool of_memory, int choice) {
    choices_[size_++] = static_cast<uint32_t>(choice) << 1 | of_memory;
  }
  size_t size() const { return size_; }
  bool of_memory(size_t i) const { return (choices_[i] & 1) != 0; }
  int choice(size_t i) const { return static_cast<int>(choices_[i] >> 1); }

 private:
  // Ends the process when there is no memory.
  [[gnu::cold]] void Grow();

  uint32_t* choices_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// A stream of pseudo-random numbers, as answers to picks.
class RandomAnswers {
 public:
  // Begins the stream of execution number `execution` of a search with that seed.
  void SeedExecution(uint64_t seed, uint64_t execution) {
    state_ = seed;
    state_ = Mix() + execution;
    state_ = Mix();
    in_bursts_ = (state_ & 3) == 0;
    was_weak_ = false;
    next_ = Mix();
  }
  // Mixed when the one before it was taken: what is done with it need not wait for that.
  uint64_t Next() {
    const uint64_t next = next_;
    next_ = Mix();
    return next;
  }

  // Uniform over the alternatives.
  int Answer(int alternatives) { return Logged(false, Below(Next(), alternatives)); }
  // The same while the log is not full: nothing is called.
  bool LogIsFull() const { return log_ != nullptr && log_->IsFull(); }
  int AnswerAtOnce(int alternatives) {
    const int choice = Below(Next(), alternatives);
    if (log_ != nullptr) log_->AddAtOnce(false, choice);
    return choice;
  }
  // For the memory model: benign three times out of four. One execution in four has its choices in
  // bursts instead, each like the one before it seven times out of eight: a flag that overtakes
  // many stores is as likely then as one that overtakes a few.
  int AnswerMemory(int alternatives) {
    const uint64_t random = Next();
    const uint64_t weak_in_eight = !in_bursts_ ? 2 : was_weak_ ? 7 : 1;
    // The low bits are independent of the high ones.
    was_weak_ = (random & 7) < weak_in_eight;
    return Logged(true, was_weak_ ? 1 + Below(random, alternatives - 1) : 0);
  }

  // Each answer is written down there from now on; null: nowhere.
  void LogTo(ChoiceLog* log) { log_ = log; }

 private:
  // Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014: mixes
  // well even from consecutive seeds.
  uint64_t Mix() {
    uint64_t z = (state_ += 0x9E37'79B9'7F4A'7C15);
    z = (z ^ (z >> 30)) * 0xBF58'476D'1CE4'E5B9;
    z = (z ^ (z >> 27)) * 0x94D0'49BB'1331'11EB;
    return z ^ (z >> 31);
  }
  static int Below(uint64_t random, int n) {
    return static_cast<int>(((random >> 32) * static_cast<uint64_t>(n)) >> 32);
  }
  int Logged(bool of_memory, int choice) {
    if (log_ != nullptr) log_->Add(of_memory, choice);
    return choice;
  }

  uint64_t state_ = 0;
  uint64_t next_ = 0;
  bool in_bursts_ = false;
  bool was_weak_ = false;
  ChoiceLog* log_ = nullptr;
};

}  // namespace jacquard

#endif  // JACQUARD_SIM_RANDOM_ANSWERS_H_
