// The declarations of Defender's and Graph's security calls, held against what the vendor's reference says
// (apps/docgen/defender_api.def): nothing is missing, nothing is invented, and each difference has a reason.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "apps/docgen/defender_api.hpp"
#include "apps/library/standard_library.hpp"
#include "tests/unit/conformance/differences.hpp"

namespace flow::test {
namespace {

// Takes the reason off the list of differences; reports what has none.
class Differences {
 public:
  void found(const std::string& key, const std::string& what) {
    for (const Difference& each : kDifferences) {
      const bool is_key = each.key == key || (each.key.ends_with('*') &&
                                              key.starts_with(each.key.substr(0, each.key.size() - 1)));
      if (!is_key || each.what != what) continue;
      used_.insert(&each);
      return;
    }
    ADD_FAILURE() << "a difference without a reason: {\"" << key << "\", \"" << what << "\", \"…\"},";
  }
  void expect_all_used() const {
    for (const Difference& each : kDifferences)
      EXPECT_TRUE(used_.contains(&each))
          << each.key << ", " << each.what << " is explained but no difference";
  }

 private:
  std::set<const Difference*> used_;
};

struct Held {
  const Library& library = standard_library();
  Differences differences;

  // `query:$filter` and so on, as the reference writes them; holes of the path by their number.
  static std::set<std::string> parameters(const Route& route) {
    std::set<std::string> out;
    for (const auto& [name, value] : route.query) out.insert("query:" + name);
    if (route.pages.kind == Paging::Kind::Skip) out.insert("query:" + route.pages.name);
    const std::string kind = route.body_form == BodyForm::Json ? "body:" : "form:";
    if (route.body && route.body->kind == Template::Kind::Object)
      for (const std::string& name : route.body->names) out.insert(kind + name);
    return out;
  }

  void hold_parameters(const ApiCall& row, const std::vector<const Operation*>& operations) {
    std::set<std::string> known, taken;
    for (const std::string& name : row.parameters)
      if (!name.starts_with("path:")) known.insert(name);
    for (const Operation* operation : operations) taken.merge(parameters(operation->routes.front()));
    for (const std::string& name : known)
      if (!taken.contains(name)) differences.found(row.key, "lacks " + name);
    for (const std::string& name : taken)
      if (!known.contains(name)) differences.found(row.key, "adds " + name);
  }

  void hold_permissions(const ApiCall& row, const Operation& operation) {
    const auto& declared = operation.routes.front().permissions;
    if (declared == row.permissions) return;
    // Pages that name only the permission to write, where their siblings also name the one to read.
    if (operation.effect == Effect::Read && declared.size() == 2 && row.permissions.size() == 1 &&
        declared[1] == row.permissions[0] &&
        declared[0] + "|" == declared[1].substr(0, declared[1].find("ReadWrite")) + "Read.All|")
      return;
    differences.found(row.key, "permission of " + operation.name);
  }

  void hold_limits(const ApiCall& row, const Operation& operation) {
    const Quota& quota = operation.routes.front().quota;
    if (row.per_minute == 0 && row.per_hour == 0) {
      // Nobody publishes one: what holds for the rest is assumed.
      EXPECT_TRUE(quota.group == operation.connector || row.key == "hunting.schema") << row.key;
      return;
    }
    if (quota.per_minute != row.per_minute || quota.per_hour != row.per_hour)
      differences.found(row.key, "quota of " + operation.name);
  }

  void hold_fields(const ApiCall& row, const std::string& entity, TypeId type) {
    const TypeTable& types = library.types;
    if (!types.is(type, TypeKind::Record)) return differences.found(row.key, "is no " + entity);
    hold_entity(entity, type);
  }

  // Once for each pair, whatever calls return it.
  void hold_entity(const std::string& entity, TypeId type) {
    if (!held_.insert({entity, type}).second) return;
    const auto found = defender_entities().find(entity);
    ASSERT_TRUE(found != defender_entities().end()) << entity;
    std::set<std::string> spelled;
    for (const RecordField& field : library.types.record(type).fields) {
      spelled.insert(field.wire);
      spelled.insert(field.also.begin(), field.also.end());
      const auto is_known = [&](const std::string& name) {
        return name == field.wire || std::ranges::find(field.also, name) != field.also.end();
      };
      if (std::ranges::none_of(found->second, is_known))
        differences.found(entity, "has a field " + field.wire);
    }
    for (const std::string& name : found->second)
      if (!spelled.contains(name)) differences.found(entity, "lacks the field " + name);
  }

  void hold_result(const ApiCall& row, const Operation& operation) {
    const TypeTable& types = library.types;
    if (row.returns == "none") {
      EXPECT_EQ(operation.result, kNothingType) << row.key;
      return;
    }
    const bool is_list = row.returns.starts_with("list<");
    if (is_list != types.is(operation.result, TypeKind::List))
      return differences.found(row.key, "result of " + operation.name);
    if (row.returns.find(' ') != std::string::npos)
      return differences.found(row.key, "result of " + operation.name);
    if (!is_list) return hold_fields(row, row.returns, operation.result);
    const std::string entity = row.returns.substr(5, row.returns.size() - 6);
    if (entity == "object") return differences.found(row.key, "result of " + operation.name);
    hold_fields(row, entity, types[operation.result].element);
  }

 private:
  std::set<std::pair<std::string, TypeId>> held_;
};

TEST(DefenderReference, TheDeclarationsSayWhatItSays) {
  Held held;
  for (const ApiCall& row : defender_api()) {
    SCOPED_TRACE(row.key);
    const auto operations = declared(held.library, row);
    if (operations.empty()) {
      held.differences.found(row.key, "is not declared");
      continue;
    }
    held.hold_parameters(row, operations);
    for (const Operation* operation : operations) {
      held.hold_permissions(row, *operation);
      held.hold_limits(row, *operation);
      held.hold_result(row, *operation);
      if (operation->retires != row.retires) held.differences.found(row.key, "retires");
      if (operation->source != row.page) held.differences.found(row.key, "page of " + operation->name);
    }
  }
  held.differences.expect_all_used();
}

TEST(DefenderReference, NothingIsInvented) {
  std::set<const Operation*> known;
  for (const ApiCall& row : defender_api())
    for (const Operation* operation : declared(standard_library(), row)) known.insert(operation);
  for (const Operation& operation : standard_library().operations) {
    if (operation.connector != "defender" && operation.connector != "xdr") continue;
    EXPECT_TRUE(known.contains(&operation)) << operation.full_name();
  }
}

// What acts is told apart from what reads, and says what becomes of it after a crash.
TEST(DefenderReference, EveryActSaysWhatACrashMeans) {
  for (const Operation& operation : standard_library().operations) {
    if (operation.connector != "defender" && operation.connector != "xdr") continue;
    const Route& route = operation.routes.front();
    EXPECT_TRUE(operation.effect != Effect::Read || !route.crash) << operation.full_name();
    EXPECT_TRUE(operation.effect == Effect::Read || route.crash) << operation.full_name();
    EXPECT_TRUE(operation.effect == Effect::Read || !operation.targets.empty()) << operation.full_name();
    EXPECT_FALSE(operation.doc.empty()) << operation.full_name();
    EXPECT_FALSE(operation.source.empty()) << operation.full_name();
  }
}

}  // namespace
}  // namespace flow::test
