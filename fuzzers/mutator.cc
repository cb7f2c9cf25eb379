#include "fuzzers/mutator.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "fuzzers/codec.h"

namespace jacquard::fuzzers {
namespace {

constexpr size_t kRecord = 2;
constexpr uint8_t kCall = 0;  // neither bit

// What kind of record begins with `head`: the bits that say so (codec.h).
constexpr uint8_t KindOf(uint8_t head) {
  return static_cast<uint8_t>((head & kExceptionBit) != 0 ? kExceptionBit : head & kMemoryBit);
}

// The records of an encoded input, between the version byte and the end of the buffer.
class Records {
 public:
  Records(uint8_t* data, size_t size, size_t max_size, uint32_t seed)
      : first_(data + 1),
        count_((size - 1) / kRecord),
        room_((max_size - 1) / kRecord),
        state_(seed) {}

  size_t size() const { return 1 + count_ * kRecord; }

  void Mutate(bool by_position) {
    in_place_ = by_position && Random(2) == 0;
    switch (Random(7)) {
      case 0:
        return Insert(kExceptionBit);
      case 1:
        return Insert(kCall);
      case 2:
        return Erase();
      case 3:
        return Repeat();
      case 4:
        return Move();
      case 6:
        return Insert(kMemoryBit);
      default:
        return Nudge();
    }
  }

 private:
  // A number below `n`, from a linear congruential generator.
  uint32_t Random(size_t n) {
    state_ = state_ * 1664525u + 1013904223u;
    return static_cast<uint32_t>((static_cast<uint64_t>(state_ >> 8) * n) >> 24);
  }
  uint8_t* At(size_t i) { return first_ + i * kRecord; }

  // The next exception of the kind of record `i`, whose gap counts from there; null if there is
  // none.
  uint8_t* NextOfKind(size_t i) {
    const uint8_t kind = KindOf(At(i)[0]);
    for (size_t next = i + 1; kind != kCall && next < count_; ++next) {
      if (KindOf(At(next)[0]) == kind) return At(next);
    }
    return nullptr;
  }
  // Lets the exception after record `i` come so much later, counted from there.
  void ShiftNext(size_t i, int picks) {
    uint8_t* const next = in_place_ ? NextOfKind(i) : nullptr;
    if (next != nullptr) next[1] = static_cast<uint8_t>(std::clamp(next[1] + picks, 0, 254));
  }

  void MakeRoom(size_t i) {
    std::memmove(At(i + 1), At(i), (count_ - i) * kRecord);
    ++count_;
  }

  // Small numbers are the likely ones: threads, choices, and gaps within one operation.
  void Insert(uint8_t kind) {
    if (count_ == room_) return Nudge();
    const size_t i = Random(count_ + 1);
    MakeRoom(i);
    At(i)[0] = static_cast<uint8_t>(kind | Random(4));
    At(i)[1] = static_cast<uint8_t>(kind == kCall || Random(8) == 0 ? Random(256) : Random(24));
    ShiftNext(i, -At(i)[1] - 1);
  }

  void Erase() {
    if (count_ == 0) return;
    const size_t i = Random(count_);
    ShiftNext(i, At(i)[1] + 1);
    std::memmove(At(i), At(i + 1), (count_ - i - 1) * kRecord);
    --count_;
  }

  void Repeat() {
    if (count_ == 0 || count_ == room_) return Nudge();
    const size_t from = Random(count_);
    const uint8_t record[kRecord] = {At(from)[0], At(from)[1]};
    const size_t to = Random(count_ + 1);
    MakeRoom(to);
    std::memcpy(At(to), record, kRecord);
  }

  void Move() {
    if (count_ < 2) return Nudge();
    const size_t a = Random(count_);
    const size_t b = Random(count_);
    std::swap_ranges(At(a), At(a) + kRecord, At(b));
  }

  // An operation goes to another thread or becomes another one; an exception comes a little earlier
  // or later, or decides otherwise.
  void Nudge() {
    if (count_ == 0) return;
    const size_t i = Random(count_);
    uint8_t* const record = At(i);
    const uint8_t kind = KindOf(record[0]);
    if (Random(3) == 0) {
      record[0] = static_cast<uint8_t>(kind | Random(4));
    } else if (kind != kCall) {
      const int before = record[1];
      const int gap = std::clamp(before + static_cast<int>(Random(9)) - 4, 0, 254);
      record[1] = static_cast<uint8_t>(gap);
      ShiftNext(i, before - gap);
    } else {
      record[1] = static_cast<uint8_t>(Random(256));
    }
  }

  uint8_t* const first_;
  size_t count_;
  const size_t room_;
  uint32_t state_;
  bool in_place_ = false;  // this time the later exceptions stay at their picks
};

// The records of `bytes` that `wanted(number, head)` is true of, at the end of `out`.
template <class Wanted>
void Append(std::span<const uint8_t> bytes, std::vector<uint8_t>& out, Wanted wanted) {
  for (size_t i = 1; i + 1 < bytes.size(); i += kRecord) {
    if (wanted(i / kRecord, bytes[i])) out.insert(out.end(), {bytes[i], bytes[i + 1]});
  }
}

}  // namespace

size_t Mutate(uint8_t* data, size_t size, size_t max_size, uint32_t seed, GeneralMutation general,
              bool by_position) {
  if (max_size == 0) return 0;
  data[0] = kVersion;
  if (size == 0) size = 1;
  if (seed % 2 == 0 && general != nullptr && max_size > 1) {
    return 1 + general(data + 1, size - 1, max_size - 1);
  }
  Records records(data, size, max_size, seed);
  for (uint32_t n = 1 + (seed >> 1) % 3; n > 0; --n) records.Mutate(by_position);
  return records.size();
}

size_t CrossOver(std::span<const uint8_t> one, std::span<const uint8_t> other, uint8_t* out,
                 size_t max_size, uint32_t seed) {
  std::vector<uint8_t> bytes = {kVersion};
  const auto is_call = [](size_t /*i*/, uint8_t head) { return KindOf(head) == kCall; };
  const auto is_exception = [](size_t /*i*/, uint8_t head) { return KindOf(head) != kCall; };
  const size_t records = std::max<size_t>(1, std::min(one.size(), other.size()) / kRecord);
  const size_t cut = (seed >> 2) % records;
  const auto before_cut = [cut](size_t i) { return i < cut; };
  switch (seed % 4) {
    case 0:
      Append(one, bytes, is_call);
      Append(other, bytes, is_exception);
      break;
    case 1: {
      // Small numbers of threads are the likely ones.
      const uint8_t thread = (seed >> 2) % 4;
      Append(one, bytes,
             [&](size_t i, uint8_t head) { return is_exception(i, head) || head != thread; });
      Append(other, bytes,
             [&](size_t i, uint8_t head) { return is_call(i, head) && head == thread; });
      break;
    }
    case 2:
      Append(one, bytes, [&](size_t i, uint8_t head) { return is_call(i, head) || before_cut(i); });
      Append(other, bytes,
             [&](size_t i, uint8_t head) { return is_exception(i, head) && !before_cut(i); });
      break;
    default:
      Append(one, bytes, [&](size_t i, uint8_t /*head*/) { return before_cut(i); });
      Append(other, bytes, [&](size_t i, uint8_t /*head*/) { return !before_cut(i); });
      break;
  }
  if (bytes.size() > max_size || std::ranges::equal(bytes, one) || std::ranges::equal(bytes, other))
    return 0;
  std::ranges::copy(bytes, out);
  return bytes.size();
}

}  // namespace jacquard::fuzzers
