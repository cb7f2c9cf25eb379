// Words for events: "vma0.refcount 1→2 (CAS acquire)". Part of the report.
#ifndef JACQUARD_SIM_STEP_TEXT_H_
#define JACQUARD_SIM_STEP_TEXT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "sim/symbolize.h"
#include "sim/text.h"
#include "sim/trace.h"

namespace jacquard::sim {

// Turns events into words. `lookup` may be null; then every read-modify-write is just that.
class StepText {
 public:
  StepText(FrameLookup lookup, bool ascii) : lookup_(std::move(lookup)), ascii_(ascii) {}

  // What the event did, printable, in one line.
  std::string Of(const TraceEvent& event) const;

  // What a thread was about to do before `event`, a step or where it was blocked: "CAS
  // vma0.refcount".
  std::string Pending(const TraceEvent& event) const;

  // The functions that the event's thread is in, innermost first; those of the library left out,
  // unless there are no others at the event's own address.
  std::vector<SourceFrame> Stack(const TraceEvent& event) const;

  // Where the event's step stands: the innermost function outside of the library, and its location;
  // both are empty if nothing is known.
  SourceFrame Where(const TraceEvent& event) const;

  bool ascii() const { return ascii_; }
  const Glyphs& glyphs() const { return GlyphsFor(ascii_); }
  std::string Clean(std::string_view text) const { return Printable(text, ascii_); }

  // What the event's step acts on: its name, otherwise its address.
  std::string Object(const TraceEvent& event) const;

 private:
  // "CAS", "fetch_add", ... where the library's function at `pc` tells; "" elsewhere.
  std::string LibraryVerb(uintptr_t pc) const;
  std::string Access(const TraceEvent& event) const;
  std::string PlainAccess(const TraceEvent& event) const;

  FrameLookup lookup_;
  bool ascii_;
};

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_STEP_TEXT_H_
