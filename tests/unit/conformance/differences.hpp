// Where declarations differ from the vendor's reference, and why. A difference that is none any more fails
// the test.
#pragma once

#include <string>
#include <vector>

namespace flow::test {

struct Difference {
  std::string key;  // of the call or of the entity; `scans.*`: of all that begin so
  std::string what;
  std::string reason;
};

inline const std::vector<Difference> kDifferences{
    {"*", "lacks query:$select",
     "answers are typed: a field that is left out would be read as one that is not there"},
    {"*", "lacks query:$orderby",
     "of the connector only; the pages of the API do not name it, and flows sort"},
    {"*", "lacks query:$count", "it asks for a number beside the list; what flows get is the list"},
    {"machines.initiateInvestigation", "result of initiate_investigation",
     "the ID, which is the only member of the answer"},
    {"machineActions.getPackageUri", "permission of get_package_uri",
     "who may collect a package is taken to be allowed to fetch it: a 403 says which permission is missing"},
    {"machineActions.getPackageUri", "is no UriValue",
     "the link itself, as a Url and without the quotation marks around it"},
    {"machineActions.getLiveResponseResultLink", "permission of get_live_response_link",
     "who may run a live response is taken to be allowed to fetch its results: a 403 says which is missing"},
    {"machineActions.getLiveResponseResultLink", "is no UriValue", "the link itself, as a Url"},
    {"ExposureScore", "lacks the field rbacGroupName", "only the scores of groups have it: GroupScore"},
    {"hunting.run", "result of run_advanced_query",
     "the rows; their columns are known to who wrote the query"},
    {"hunting.schema", "result of get_advanced_query_schema", "what it is made of is not documented"},
    {"graph.hunting.run", "result of hunt", "the rows; their columns are known to who wrote the query"},
    {"graph.hunting.run", "result of hunt_schema", "the columns, which the same answer names"},
    {"xdr.hunting.run", "result of run_xdr_query",
     "the rows; their columns are known to who wrote the query"},
    {"graph.alerts.comment", "result of comment_security_alert",
     "the comments, typed by what answers show: the page has no table of them"},
    {"trigger.newAlert", "is not declared",
     "the connector's own subscription, closed to others: `on alert.new` polls"},
    {"trigger.newRemediationActivity", "is not declared",
     "the connector's own polling: `on remediation.new` polls the API itself"},
};

}  // namespace flow::test
