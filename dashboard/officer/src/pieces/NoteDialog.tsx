import { Problem } from '@furrow/shared/ui/states';
import { Input, Modal } from 'antd';
import type { TextAreaRef } from 'antd/es/input/TextArea';
import { useId, useRef, useState } from 'react';

/** Asks for a few words that go into the history before something is done. */
export function NoteDialog(props: {
  title: string;
  label: string;
  ok: string;
  danger?: boolean;
  pending: boolean;
  error: unknown;
  onOk(note: string): void;
  onCancel(): void;
}) {
  const [note, setNote] = useState('');
  const id = useId();
  const field = useRef<TextAreaRef>(null);
  return (
    <Modal
      open
      title={props.title}
      okText={props.ok}
      okButtonProps={{ loading: props.pending, disabled: !note.trim(), danger: props.danger }}
      afterOpenChange={(open) => open && field.current?.focus()}
      onOk={() => props.onOk(note.trim())}
      onCancel={props.onCancel}
    >
      <label htmlFor={id}>{props.label}</label>
      <Input.TextArea
        id={id}
        ref={field}
        rows={3}
        maxLength={500}
        value={note}
        onChange={(e) => setNote(e.target.value)}
      />
      {props.error ? <Problem error={props.error} compact /> : null}
    </Modal>
  );
}
