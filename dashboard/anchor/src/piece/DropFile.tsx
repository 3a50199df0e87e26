import { DownloadOutlined, InboxOutlined } from '@ant-design/icons';
import { Problem } from '@furrow/shared/ui/states';
import { Button, Spin, Upload } from 'antd';
import { type ReactNode, useState } from 'react';

interface Sending<T, V> {
  data?: T;
  error: unknown;
  isPending: boolean;
  reset(): void;
  mutate(what: V): void;
}

/**
 * A table that is dropped or chosen: it is tried at once, and written when the person wants
 * what the trial found. `found` draws what was found.
 */
export function DropFile<T, V>(props: {
  template: string;
  texts: { template: string; looking(name: string): string; drop: string };
  trial: Sending<T, V>;
  write: Sending<T, V>;
  attempt(file: File): V;
  found(report: T, file: File): ReactNode;
}) {
  const { texts, trial, write } = props;
  const [file, setFile] = useState<File>();
  // The books may have changed between the trial and the writing.
  const found = write.data ?? trial.data;
  return (
    <>
      <p>
        <Button href={props.template} download icon={<DownloadOutlined />}>
          {texts.template}
        </Button>
      </p>
      <Spin spinning={trial.isPending} description={texts.looking(file?.name ?? '')}>
        <Upload.Dragger
          accept=".xlsx,.csv"
          maxCount={1}
          showUploadList={false}
          disabled={trial.isPending || write.isPending}
          beforeUpload={(chosen) => {
            setFile(chosen);
            write.reset();
            trial.mutate(props.attempt(chosen));
            return false;
          }}
        >
          <p className="a-drop-icon">
            <InboxOutlined />
          </p>
          <p>{texts.drop}</p>
        </Upload.Dragger>
      </Spin>
      {trial.error ? <Problem error={trial.error} /> : null}
      {found !== undefined && file ? (
        <section>
          <h2>{file.name}</h2>
          {props.found(found, file)}
        </section>
      ) : null}
      {write.error ? <Problem compact error={write.error} /> : null}
    </>
  );
}
