import '@furrow/shared/base.css';
import './farmer.css';
import { LiveProvider } from '@furrow/shared/live';
import { SessionGate } from '@furrow/shared/session';
import { startFace } from '@furrow/shared/start';
import { useQueryClient } from '@tanstack/react-query';
import { unstableSetRender } from 'antd-mobile';
import { type ReactNode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App';
import { PostProvider } from './apply/post';
import { isLarge, setLarge } from './ui/large';
import { startWorker } from './worker';

// antd-mobile 5 draws its dialogs by the renderer of React 18 unless it is told.
unstableSetRender((node, container) => {
  const root = createRoot(container);
  root.render(node);
  return async () => {
    await Promise.resolve();
    root.unmount();
  };
});

/** Lets queries run without a network: the worker answers them from what it kept. */
function Unpaused(props: { children: ReactNode }) {
  const client = useQueryClient();
  useState(() => {
    const defaults = client.getDefaultOptions();
    client.setDefaultOptions({
      queries: { ...defaults.queries, networkMode: 'always' },
      mutations: { ...defaults.mutations, networkMode: 'always' },
    });
  });
  return props.children;
}

function Live(props: { children: ReactNode }) {
  const client = useQueryClient();
  return (
    <LiveProvider onReconnect={() => void client.invalidateQueries()}>
      {props.children}
    </LiveProvider>
  );
}

setLarge(isLarge());
startWorker();
startFace(
  import.meta.env.BASE_URL,
  // Those of herds and of what was lent come with their pages: see herd/texts, lending/texts.
  import.meta.glob(
    ['./locales/*/*.json', '!./locales/*/{herd,report,claim,offer,buy,loan,pledge,consents}.json'],
    {
      eager: true,
      import: 'default',
    },
  ),
  <Unpaused>
    <SessionGate roles={['borrower']} face="farmer">
      <Live>
        <PostProvider>
          <App />
        </PostProvider>
      </Live>
    </SessionGate>
  </Unpaused>,
);
