import { Button } from 'antd';
import { type ReactNode, useId, useState } from 'react';

interface Texts {
  file: string;
  attempt: string;
  keep: string;
}

interface Sending<T> {
  data?: T;
  isPending: boolean;
  reset(): void;
}

/** A table from the person's disk, which is tried first, and kept once what was tried is good. */
export function FileForm<T>(props: {
  texts: Texts;
  sending: Sending<T>;
  good(report: T): boolean;
  send(file: File, dryRun: boolean): void;
  before?: ReactNode;
  after?: ReactNode;
}) {
  const [file, setFile] = useState<File>();
  const id = useId();
  const { texts, sending } = props;
  const good = sending.data !== undefined && props.good(sending.data);
  return (
    <form
      className="fw-row intake-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (file) props.send(file, true);
      }}
    >
      {props.before}
      <div>
        <label htmlFor={id}>{texts.file}</label>
        <input
          id={id}
          type="file"
          accept=".xlsx,.csv"
          onChange={(e) => {
            setFile(e.target.files?.[0]);
            sending.reset();
          }}
        />
      </div>
      {props.after}
      <Button htmlType="submit" disabled={!file} loading={sending.isPending}>
        {texts.attempt}
      </Button>
      <Button
        type="primary"
        disabled={!file || !good}
        loading={sending.isPending}
        onClick={() => file && props.send(file, false)}
      >
        {texts.keep}
      </Button>
    </form>
  );
}
