// The memory model: records of plain accesses, and how they become cells. Included by model.h only.
#ifndef JACQUARD_SIM_MEMORY_RECORDS_INL_H_
#define JACQUARD_SIM_MEMORY_RECORDS_INL_H_

#include <bit>
#include <cstdint>

#include "sim/memory/model.h"

namespace jacquard::sim::memory {

// Whether a record tells all there is to know after this access, which is in one granule and does
// not race. False: nothing has been said of it.
template <class Clock>
template <AccessKind kKind>
bool Model<Clock>::IsToldByRecord(int thread, uintptr_t begin, size_t size) {
  PlainRecord* const record = plain_records.Find(begin);
  return record != nullptr && options_.check_races &&
         TellRecord<kKind>(*record, thread, begin, size);
}

// Whether the record tells all there is to know after this access, which is in one granule and does
// not race. False: the cells have to be told of it, and know what the record did.
template <class Clock>
template <AccessKind kKind>
bool Model<Clock>::TellRecord(PlainRecord& record, int thread, uintptr_t begin, size_t size) {
  if (plain_records.IsOf(record) && record.spilled) return false;
  constexpr bool kWrites = kKind == AccessKind::kPlainWrite;
  const uint32_t epoch = EpochOf(thread);
  const uint8_t bytes = PlainRecords::BytesIn(begin, size);
  // Where a record counts there is no atomic access that this could be a run with.
  if (seq_cst_.active()) [[unlikely]]
    seq_cst_.Enter(thread, nullptr);
  constexpr int kFirst = kWrites ? 0 : PlainRecord::kWrites;
  if (!plain_records.IsOf(record)) {
    plain_records.Begin(record, begin);
  } else if (record.thread[kFirst] == thread && record.epoch[kFirst] == epoch &&
             (bytes & ~record.bytes[kFirst]) == 0) {
    return true;  // nobody has written there since
  } else if (!TakesOver<kWrites>(record, threads_[thread].now, bytes)) [[unlikely]] {
    Spill(record, begin, size);
    return false;
  }
  for (int i = kFirst; i < kFirst + 2; ++i) {
    if (record.bytes[i] == 0) {
      record.thread[i] = static_cast<uint8_t>(thread);
      record.epoch[i] = epoch;
    } else if (record.thread[i] != thread || record.epoch[i] != epoch) {
      continue;
    }
    record.bytes[i] |= bytes;
    return true;
  }
  Spill(record, begin, size);
  return false;
}

// Of accesses to these bytes that are ordered before one by somebody who knows `now` nothing need
// be known any more: of reads only if that one is a read or a write, of writes if it is a write.
// False: it races.
template <class Clock>
template <bool kWrites>
bool Model<Clock>::TakesOver(PlainRecord& record, const Clock& now, uint8_t bytes) {
  for (int i = 0; i < PlainRecord::kAccesses; ++i) {
    if ((record.bytes[i] & bytes) == 0) continue;
    const bool is_write = i < PlainRecord::kWrites;
    if (record.epoch[i] > now[record.thread[i]]) {
      if (kWrites || is_write) return false;
    } else if (kWrites || !is_write) {
      record.bytes[i] &= ~bytes;
    }
  }
  return true;
}

// Cells take over what the record knows. Those bytes of it that lie in the range become one cell,
// as far as they are in a row: most likely that is what has been accessed.
template <class Clock>
void Model<Clock>::Spill(PlainRecord& record, uintptr_t begin, size_t size) {
  const PlainRecord known = record;
  record.spilled = true;
  const unsigned here = PlainRecords::BytesIn(begin, size);
  // Writes first: they make cells forget what they know of reads.
  for (int i = 0; i < PlainRecord::kAccesses; ++i) {
    const AccessKind kind =
        i < PlainRecord::kWrites ? AccessKind::kPlainWrite : AccessKind::kPlainRead;
    for (const unsigned part : {here, ~here}) {
      SpillInto(begin & ~uintptr_t{7}, known.bytes[i] & part, kind, known.thread[i],
                static_cast<Lane>(known.epoch[i]));
    }
  }
}

template <class Clock>
void Model<Clock>::SpillInto(uintptr_t granule, unsigned bytes, AccessKind kind, int thread,
                             Lane epoch) {
  Clock now;
  now.Set(thread, epoch);
  while (bytes != 0) {
    const int first = std::countr_zero(bytes);
    const int count = std::countr_one(bytes >> first);
    bytes &= ~(((1U << count) - 1) << first);
    const auto* const address = reinterpret_cast<const void*>(granule + first);
    if (cells_.IsCrowded() && !cells_.Has(address, count)) [[unlikely]] {
      lost_detail_ = true;
      continue;
    }
    Remember(cells_.Find(address, count), kind, thread, now);
  }
}

// The range is to be known to cells only: an atomic object begins there.
template <class Clock>
void Model<Clock>::SpillRecords(uintptr_t begin, size_t size) {
  for (const uintptr_t end = begin + size; begin < end;) {
    const uintptr_t piece_end = std::min(end, (begin | 7) + 1);
    PlainRecord* const record = plain_records.Find(begin);
    if (record == nullptr) return;
    if (!plain_records.IsOf(*record)) plain_records.Begin(*record, begin);
    if (!record->spilled) Spill(*record, begin, piece_end - begin);
    begin = piece_end;
  }
}

// A plain write to all bytes of the range that a record knows of, unless it races. Whether that was
// all; else there is more in cells, and perhaps a race.
template <class Clock>
bool Model<Clock>::FreeRecords(int thread, uintptr_t begin, size_t size) {
  bool any_spilled = false;
  const auto write = [&](PlainRecord& record, uintptr_t from, size_t count) {
    unsigned known = 0;
    for (const uint8_t bytes : record.bytes) known |= bytes;
    known &= PlainRecords::BytesIn(from, count);
    if (known != 0 && !record.spilled) {
      const int first = std::countr_zero(known);
      TellRecord<AccessKind::kPlainWrite>(record, thread, (from & ~uintptr_t{7}) + first,
                                          std::bit_width(known) - first);
    }
    any_spilled |= record.spilled;
  };
  return plain_records.ForEachUsed(begin, size, write) && !any_spilled;
}

template <class Clock>
void Model<Clock>::ForgetRecords(uintptr_t begin, size_t size) {
  plain_records.ForEachUsed(begin, size, [](PlainRecord& record, uintptr_t from, size_t count) {
    for (uint8_t& bytes : record.bytes) bytes &= ~PlainRecords::BytesIn(from, count);
  });
}

}  // namespace jacquard::sim::memory

#endif  // JACQUARD_SIM_MEMORY_RECORDS_INL_H_
