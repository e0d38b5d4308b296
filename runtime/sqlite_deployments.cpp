#include "runtime/sqlite_deployments.hpp"

namespace flow::sqlite {
namespace {

// A kind that this program does not know changes nothing that it serves: as the end of a shadow.
DeploymentRow::Kind kind_numbered(std::int64_t number) {
  return number >= 0 && number <= static_cast<std::int64_t>(kLastDeploymentKind)
             ? static_cast<DeploymentRow::Kind>(number)
             : DeploymentRow::Kind::ShadowEnded;
}

}  // namespace

Status DeploymentTable::prepare() {
  FLOW_TRY(add_, connection_.prepare("INSERT INTO deployments (tenant, flow, kind, module, settings, file,"
                                     " time_us, said_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"));
  FLOW_TRY(get_, connection_.prepare("SELECT number, tenant, flow, kind, module, settings, file, time_us,"
                                     " said_by FROM deployments WHERE (?1 = '' OR tenant = ?1)"
                                     " AND (?2 = '' OR flow = ?2) ORDER BY number"));
  return {};
}

Status DeploymentTable::write(const Batch& batch) {
  for (const DeploymentRow& row : batch.deployments) {
    add_.bind(1, row.tenant).bind(2, row.flow).bind(3, static_cast<std::int64_t>(row.kind));
    add_.bind(4, row.module).bind(5, row.settings).bind(6, row.file).bind(7, row.time_us).bind(8, row.by);
    FLOW_TRY_STATUS(connection_.finish(add_, "note a deployment"));
  }
  return {};
}

Result<std::vector<DeploymentRow>> DeploymentTable::list(std::string_view tenant, std::string_view flow) {
  get_.bind(1, tenant).bind(2, flow);
  const Use use(get_);
  std::vector<DeploymentRow> rows;
  int code = get_.step();
  for (; code == SQLITE_ROW; code = get_.step()) {
    DeploymentRow row;
    row.number = get_.number(0);
    row.tenant = get_.text(1);
    row.flow = get_.text(2);
    row.kind = kind_numbered(get_.number(3));
    row.module = get_.text(4);
    row.settings = get_.text(5);
    row.file = get_.text(6);
    row.time_us = get_.number(7);
    row.by = get_.text(8);
    rows.push_back(std::move(row));
  }
  if (code != SQLITE_DONE) return tl::unexpected(connection_.problem("read deployments"));
  return rows;
}

}  // namespace flow::sqlite
