// Workloads C and D on Restate: the service `flow` with a handler each, every step a durable one.
//   PEERS=build/peers PORT=9080 TENANT=http://127.0.0.1:PORT node restate.mjs
import { createRequire } from 'node:module';
import path from 'node:path';
import { response, steps } from './work.mjs';

const restate = createRequire(path.resolve(process.env.PEERS, 'x.js'))('@restatedev/restate-sdk');

const flow = restate.service({
  name: 'flow',
  handlers: {
    durable: async (ctx, alert) => {
      const first = await ctx.run('first', () => steps[0](alert));
      const second = await ctx.run('second', () => steps[1](alert, first));
      return ctx.run('third', () => steps[2](alert, second));
    },
    e2e: async (ctx, alert) => {
      if (!response.isWanted(alert)) return { skipped: true };
      const found = await ctx.run('read', () => response.readAlert(alert));
      const action = await ctx.run('isolate', () => response.isolate(found));
      await ctx.run('tell', () => response.tell(found, action));
      return { ok: true };
    },
  },
});
restate.serve({ services: [flow], port: Number(process.env.PORT) });
