#include "runtime/sqlite_quotas.hpp"

#include <algorithm>
#include <limits>

namespace flow::sqlite {
namespace {

constexpr std::int64_t kRememberedSeconds = 3602;  // an hour, and what is lost by rounding

}  // namespace

Status QuotaTables::prepare() {
  FLOW_TRY(add_sent_, connection_.prepare("INSERT INTO sent (bucket, second, calls) VALUES (?, ?, ?)"
                                          " ON CONFLICT DO UPDATE SET calls = calls + excluded.calls"));
  FLOW_TRY(forget_sent_, connection_.prepare("DELETE FROM sent WHERE bucket = ? AND second < ?"));
  FLOW_TRY(put_rest_,
           connection_.prepare("INSERT INTO rests (bucket, until_us) VALUES (?, ?)"
                               " ON CONFLICT DO UPDATE SET until_us = max(until_us, excluded.until_us)"));
  FLOW_TRY(get_sent_, connection_.prepare("SELECT bucket, second, calls FROM sent WHERE second >= ?"
                                          " ORDER BY bucket, second"));
  FLOW_TRY(get_rests_, connection_.prepare("SELECT bucket, until_us FROM rests WHERE until_us > ?"));
  return {};
}

Status QuotaTables::write(const Batch& batch) {
  for (const SentRow& row : batch.sent) {
    forget_sent_.bind(1, row.bucket).bind(2, row.second - kRememberedSeconds);
    FLOW_TRY_STATUS(connection_.finish(forget_sent_, "forget old calls"));
    add_sent_.bind(1, row.bucket).bind(2, row.second).bind(3, std::int64_t{row.calls});
    FLOW_TRY_STATUS(connection_.finish(add_sent_, "count calls"));
  }
  for (const RestRow& row : batch.rests) {
    put_rest_.bind(1, row.bucket).bind(2, row.until_us);
    FLOW_TRY_STATUS(connection_.finish(put_rest_, "note a rest"));
  }
  return {};
}

Result<std::vector<SentRow>> QuotaTables::sent_calls(std::int64_t from_second) {
  Statement& statement = get_sent_.bind(1, from_second);
  const Use use(statement);
  std::vector<SentRow> rows;
  int code = statement.step();
  for (; code == SQLITE_ROW; code = statement.step())
    rows.push_back({.bucket = statement.text(0),
                    .second = statement.number(1),
                    .calls = static_cast<std::uint32_t>(std::clamp<std::int64_t>(
                        statement.number(2), 0, std::numeric_limits<std::uint32_t>::max()))});
  if (code != SQLITE_DONE) return tl::unexpected(connection_.problem("read what was used of the quotas"));
  return rows;
}

Result<std::vector<RestRow>> QuotaTables::rests(std::int64_t after_us) {
  Statement& statement = get_rests_.bind(1, after_us);
  const Use use(statement);
  std::vector<RestRow> rows;
  int code = statement.step();
  for (; code == SQLITE_ROW; code = statement.step())
    rows.push_back({.bucket = statement.text(0), .until_us = statement.number(1)});
  if (code != SQLITE_DONE) return tl::unexpected(connection_.problem("read what rests"));
  return rows;
}

}  // namespace flow::sqlite
