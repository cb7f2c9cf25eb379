#include "sim/forecast.h"

namespace jacquard {

void Forecast::Begin() {
  threads_.clear();
  met_.clear();
}

int Forecast::NumberOfChild(int parent, int child) {
  const int next = numbers();
  const auto [place, is_new] = children_.try_emplace({parent, child}, next);
  if (is_new) parents_.push_back(parent);
  return place->second;
}

// It was there from the beginning.
Forecast::Thread& Forecast::Met(int thread) {
  const auto index = static_cast<size_t>(thread);
  if (index >= threads_.size()) threads_.resize(index + 1);
  threads_[index].number = NumberOfChild(-1, thread);
  return threads_[index];
}

void Forecast::Begins(int thread, const Operation& operation) {
  Thread& known = Known(thread);
  if (known.begun) return;
  known.begun = true;
  met_.emplace_back(known.number, operation);
}

void Forecast::OnStep(const Step& step, Site site) {
  Begins(step.thread, {step.kind, step.address, site});
  if (step.kind != StepKind::kThreadCreate) return;
  Thread& parent = Known(step.thread);
  const int number = NumberOfChild(parent.number, parent.children++);
  const auto child = static_cast<size_t>(step.new_value);
  if (child >= threads_.size()) threads_.resize(child + 1);
  threads_[child] = {.number = number};
}

void Forecast::OnBlock(int thread, StepKind kind, const void* address, Site site) {
  Begins(thread, {kind, address, site});
}

void Forecast::End() {
  first_.resize(parents_.size());
  for (const auto& [number, operation] : met_) first_[static_cast<size_t>(number)] = operation;
}

Operation Forecast::Of(const Pick& pick, int thread) {
  const Thread& known = Known(thread);
  const PendingOperation& pending = pick.pending[thread];
  if (known.begun) return {pending.kind, pending.address, pick.sites[thread]};
  const auto number = static_cast<size_t>(known.number);
  return number < first_.size() ? first_[number] : Operation{};
}

}  // namespace jacquard
