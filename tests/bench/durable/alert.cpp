#include "tests/bench/durable/alert.hpp"

namespace flow::bench {

std::string sample_alert(const std::string& id) {
  std::string alert = R"({"id":")";
  alert += id;
  alert +=
      R"(","incidentId":723156,"investigationId":40211,"assignedTo":null,"severity":"High","status":"New","cl)"
      R"(assification":null,"determination":null,"investigationState":"PendingApproval","detectionSource":"Wi)"
      R"(ndowsDefenderAtp","detectorId":"17ab5f5c-2c0b-4b0e-8c6e-1f0f1a2b3c4d","category":"LateralMovement",")"
      R"(threatFamilyName":"CobaltStrike","title":"'CobaltStrike' beaconing to a rare domain was detected","d)"
      R"(escription":"A beacon to a rare domain was seen on this device. Attackers use it to move through the)"
      R"( network, steal data or disrupt operations. Review the process tree and isolate the device if the ac)"
      R"(tivity is not expected. Ref 5e0c9a7d13b2.","alertCreationTime":"2026-01-01T00:01:00.1234567Z","first)"
      R"(EventTime":"2026-01-01T00:00:00.1234567Z","lastEventTime":"2026-01-01T00:00:30.1234567Z","lastUpdate)"
      R"(Time":"2026-01-01T00:01:30.1234567Z","resolvedTime":null,"machineId":"7b1f4967d9728e5aa3c06a9e617a22)"
      R"(a4a5a17378","computerDnsName":"wks-ber-117.corp.contoso.com","rbacGroupName":"Workstations","aadTena)"
      R"(ntId":"c9d1f7e2-84a3-4f5b-9e60-1b2a3c4d5e6f","threatName":"Trojan:Win32/CobaltStrike.B!ml","mitreTec)"
      R"(hniques":["T1071.001","T1055"],"relatedUser":{"userName":"b.kowalski","domainName":"CONTOSO"},"logge)"
      R"(dOnUsers":[{"accountName":"b.kowalski","domainName":"CONTOSO"}],"comments":[],"machineTags":["workst)"
      R"(ation","finance"],"evidence":[{"entityType":"Process","evidenceCreationTime":"2026-01-01T00:00:01.12)"
      R"(34567Z","sha1":"3395856ce81f2b7382dee72602f798b642f14140","sha256":"275a021bbfb6489e54d471899f7db9d1)"
      R"(663fc695ec2fe2a2c4538aabf651fd0f","fileName":"rundll32.exe","filePath":"C:\\Windows\\System32","proc)"
      R"(essId":4780,"processCommandLine":"\"rundll32.exe\" C:\\ProgramData\\a91f.dll,Start -id 9f1c2e5b7a3d4)"
      R"(c6f8e0b1a2d3c4e5f60718293a4b5c6d7e8f9","processCreationTime":"2026-01-01T00:00:00.9876543Z","parentP)"
      R"(rocessId":3916,"parentProcessCreationTime":"2026-01-01T00:00:00.1234567Z","parentProcessFileName":"w)"
      R"(inword.exe","parentProcessFilePath":"C:\\Program Files\\Office16","ipAddress":null,"url":null,"regis)"
      R"(tryKey":null,"registryHive":null,"registryValueType":null,"registryValue":null,"registryValueName":n)"
      R"(ull,"accountName":"b.kowalski","domainName":"CONTOSO","userSid":"S-1-5-21-1604012920-4821","aadUserI)"
      R"(d":"a6f3c2d1-5b7e-4c89-9d0a-2f1e3b4c5d6e","userPrincipalName":"b.kowalski@contoso.com","detectionSta)"
      R"(tus":"Detected"},{"entityType":"Process","evidenceCreationTime":"2026-01-01T00:00:01.1234567Z","sha1)"
      R"(":"3395856ce81f2b7382dee72602f798b642f14140","sha256":"275a021bbfb6489e54d471899f7db9d1663fc695ec2fe)"
      R"(2a2c4538aabf651fd0f","fileName":"rundll32.exe","filePath":"C:\\Windows\\System32","processId":4781,")"
      R"(processCommandLine":"\"rundll32.exe\" C:\\ProgramData\\a91f.dll,Start -id 9f1c2e5b7a3d4c6f8e0b1a2d3c)"
      R"(4e5f60718293a4b5c6d7e8f9","processCreationTime":"2026-01-01T00:00:00.9876543Z","parentProcessId":391)"
      R"(6,"parentProcessCreationTime":"2026-01-01T00:00:00.1234567Z","parentProcessFileName":"winword.exe",")"
      R"(parentProcessFilePath":"C:\\Program Files\\Office16","ipAddress":null,"url":null,"registryKey":null,)"
      R"("registryHive":null,"registryValueType":null,"registryValue":null,"registryValueName":null,"accountN)"
      R"(ame":"b.kowalski","domainName":"CONTOSO","userSid":"S-1-5-21-1604012920-4821","aadUserId":"a6f3c2d1-)"
      R"(5b7e-4c89-9d0a-2f1e3b4c5d6e","userPrincipalName":"b.kowalski@contoso.com","detectionStatus":"Detecte)"
      R"(d"},{"entityType":"Process","evidenceCreationTime":"2026-01-01T00:00:01.1234567Z","sha1":"3395856ce8)"
      R"(1f2b7382dee72602f798b642f14140","sha256":"275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf6)"
      R"(51fd0f","fileName":"powershell.exe","filePath":"C:\\Windows\\System32","processId":4790,"processComm)"
      R"(andLine":"\"rundll32.exe\" C:\\ProgramData\\a91f.dll,Start -id 9f1c2e5b7a3d4c6f8e0b1a2d3c4e5f6071829)"
      R"(3a4b5c6d7e8f9","processCreationTime":"2026-01-01T00:00:00.9876543Z","parentProcessId":3916,"parentPr)"
      R"(ocessCreationTime":"2026-01-01T00:00:00.1234567Z","parentProcessFileName":"winword.exe","parentProce)"
      R"(ssFilePath":"C:\\Program Files\\Office16","ipAddress":null,"url":null,"registryKey":null,"registryHi)"
      R"(ve":null,"registryValueType":null,"registryValue":null,"registryValueName":null,"accountName":"b.kow)"
      R"(alski","domainName":"CONTOSO","userSid":"S-1-5-21-1604012920-4821","aadUserId":"a6f3c2d1-5b7e-4c89-9)"
      R"(d0a-2f1e3b4c5d6e","userPrincipalName":"b.kowalski@contoso.com","detectionStatus":"Detected"}],"domai)"
      R"(ns":[]})";
  return alert;
}

}  // namespace flow::bench
