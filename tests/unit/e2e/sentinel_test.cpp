// Incidents of Microsoft Sentinel start flows, which change them in part.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "scene.hpp"

namespace flow::e2e {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

TEST(Sentinel, IncidentsStartFlowsThatTriageThem) {
  Scene scene;
  const std::string triage = scene.folder().write("triage.flow", R"(use sentinel

flow triage
on sentinel_incident.new when properties.severity >= Medium
limit sentinel.update_incident to 50 per 1h
do {
    let alerts = sentinel.list_incident_alerts(incidentName)
    sentinel.add_comment(incidentName, "{alerts.length()} alert")
    sentinel.update_incident(incidentName, status: Active, owner: "ana@contoso.com", tags: ["triaged"])
}
)");
  Process service("flow", scene.serve({triage}));
  scene.inject(R"({"severity": "High", "title": "Ransom", "incidentId": 4711})");
  const auto incident = [&]() -> Json {
    for (const Json& each : scene.list("sentinel"))
      if (each["properties"]["providerIncidentId"].text() == "4711") return each;
    return Json();
  };
  ASSERT_TRUE(eventually([&] { return incident()["properties"]["status"].text() == "Active"; }))
      << service.out() << service.err();
  const Json found = incident();
  EXPECT_EQ(found["properties"]["owner"]["assignedTo"].text(), "ana");
  EXPECT_EQ(found["properties"]["labels"].items().size(), 1u);
  EXPECT_FALSE(found["properties"]["title"].text().empty()) << "what was not named stays";
  EXPECT_EQ(found["comments"].items().size(), 1u);
  service.kill();
}

}  // namespace
}  // namespace flow::e2e
