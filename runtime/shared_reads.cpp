#include "runtime/shared_reads.hpp"

#include <algorithm>

namespace flow {
namespace {

// What a kept answer costs besides its text.
constexpr std::size_t kBytesBeside = 256;

}  // namespace

std::optional<std::string> SharedReads::answer(const Key& key, const std::string& run, std::int64_t now_us) {
  const auto found = kept_.find(key);
  if (found == kept_.end()) return std::nullopt;
  Kept& kept = found->second;
  // Of a clock that was set back nobody can say how old the answer is.
  const bool is_fresh = now_us < kept.until_us && now_us >= kept.until_us - reuse_us_;
  if (!is_fresh || !kept.runs.insert(run).second) return std::nullopt;
  return kept.answer;
}

std::optional<std::uint64_t> SharedReads::out(const Key& key) const {
  const auto found = out_.find(key);
  return found == out_.end() ? std::nullopt : std::optional(found->second);
}

void SharedReads::note_waiting(const Key& key, std::uint64_t ticket) {
  waiting_[key].push_back(ticket);
}

void SharedReads::forget_waiting(const Key& key, std::uint64_t ticket) {
  const auto found = waiting_.find(key);
  if (found == waiting_.end()) return;
  std::erase(found->second, ticket);
  if (found->second.empty()) waiting_.erase(found);
}

std::vector<std::uint64_t> SharedReads::note_out(const Key& key, std::uint64_t ticket) {
  forget_waiting(key, ticket);
  out_[key] = ticket;
  const auto others = waiting_.extract(key);
  return others.empty() ? std::vector<std::uint64_t>() : others.mapped();
}

void SharedReads::note_back(const Key& key, std::uint64_t ticket, const std::string* answer,
                            std::set<std::string> runs, std::int64_t now_us) {
  const auto found = out_.find(key);
  if (found == out_.end() || found->second != ticket) return;  // the tenant has acted since it went out
  out_.erase(found);
  drop_old(now_us);
  if (answer == nullptr || reuse_us_ == 0 || answer->size() > kLongestAnswer) return;
  if (const auto before = kept_.find(key); before != kept_.end()) drop(before);
  kept_[key] = {*answer, now_us + reuse_us_, next_number_, std::move(runs)};
  by_age_.emplace_back(next_number_++, key);
  bytes_ += answer->size() + key.question.size() + kBytesBeside;
  drop_old(now_us);
}

void SharedReads::drop(KeptAnswers::iterator kept) {
  bytes_ -= kept->second.answer.size() + kept->first.question.size() + kBytesBeside;
  kept_.erase(kept);
}

void SharedReads::drop_old(std::int64_t now_us) {
  for (; !by_age_.empty(); by_age_.pop_front()) {
    const auto& [number, key] = by_age_.front();
    const auto found = kept_.find(key);
    if (found == kept_.end() || found->second.number != number) continue;
    if (now_us < found->second.until_us && bytes_ <= kMostBytes) return;
    drop(found);
  }
}

void SharedReads::forget(const std::string& tenant) {
  const Key first{tenant, {}};
  const auto is_other = [&](const auto& entry) { return entry.first.tenant != tenant; };
  out_.erase(out_.lower_bound(first), std::find_if(out_.lower_bound(first), out_.end(), is_other));
  for (auto it = kept_.lower_bound(first); it != kept_.end() && it->first.tenant == tenant;) drop(it++);
}

}  // namespace flow
