// What the peers in JavaScript do in workloads C and D: the same steps, the same requests to the tenant.
const note = 'x'.repeat(120);

export const steps = [
  (alert) => ({ step: 1, alert: alert.id, machine: alert.machineId, severity: alert.severity, note }),
  (alert, before) => ({ step: 2, after: before.step, host: alert.computerDnsName, category: alert.category, note }),
  (alert, before) => ({ step: 3, after: before.step, title: alert.title, done: true, note }),
];

const headers = { 'content-type': 'application/json', authorization: `Bearer ${'t'.repeat(200)}` };
const call = async (method, path, body) => {
  const answer = await fetch(process.env.TENANT + path, { method, headers, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path} answers ${answer.status}`);
  return answer.json();
};
const categories = ['Malware', 'Ransomware', 'CredentialAccess', 'LateralMovement'];

export const response = {
  isWanted: (alert) => alert.severity === 'High' && categories.includes(alert.category) && !alert.machineTags.includes('vip'),
  readAlert: (alert) => call('GET', `/api/alerts/${alert.id}`),
  isolate: (found) =>
    call('POST', `/api/machines/${found.machineId}/isolate`, {
      Comment: `isolated by flow for alert ${found.id}`,
      IsolationType: 'Full',
    }),
  tell: (found, action) =>
    call('POST', '/v1.0/users/soc/sendMail', {
      message: {
        subject: `Isolated ${found.computerDnsName}`,
        body: { contentType: 'Text', content: `${found.title} action ${action.id}` },
        toRecipients: [{ emailAddress: { address: 'soc@contoso.com' } }],
      },
    }),
};
