import type { OfficerStrategyVersion } from '@furrow/shared/api/types';
import { Button, InputNumber, Modal } from 'antd';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { NoteDialog } from '../pieces/NoteDialog';
import { type Move, useMove } from './data';
import { movesFrom, wordOf } from './moves';

const serious = new Set<string>(['publish', 'roll_back', 'reject']);

/** What can be done with a version by its status, each with a note for the history. */
export function MoveButtons(props: {
  version: OfficerStrategyVersion;
  unsaved: boolean;
  own: boolean;
}) {
  const { t } = useTranslation('strategy');
  const { version } = props;
  const move = useMove(version.id);
  const [to, setTo] = useState<Move>();
  const [share, setShare] = useState<number>();
  const [asksShare, setAsksShare] = useState(false);
  const open = (m: Move) => {
    move.reset();
    if (m === 'challenge') setAsksShare(true);
    else setTo(m);
  };
  const word = to ? wordOf(to, version.status) : '';
  const steps = movesFrom(version.status);
  return (
    <>
      {steps.map((m) => (
        <Button
          key={m}
          disabled={props.unsaved}
          title={props.unsaved ? t('save_first') : undefined}
          danger={m === 'reject' || m === 'stop'}
          onClick={() => open(m)}
        >
          {t(`move.${wordOf(m, version.status)}`)}
        </Button>
      ))}
      {props.own && steps.includes('approve') ? (
        <small className="fw-muted">{t('second_person')}</small>
      ) : null}
      {asksShare ? (
        <ShareDialog
          onOk={(percent) => {
            setShare(Math.round(percent * 100));
            setAsksShare(false);
            setTo('challenge');
          }}
          onCancel={() => setAsksShare(false)}
        />
      ) : null}
      {to ? (
        <NoteDialog
          title={t(`move_title.${word}`)}
          label={t('note')}
          ok={t(`move.${word}`)}
          danger={serious.has(word)}
          pending={move.isPending}
          error={move.error}
          onOk={(note) =>
            move.mutate(
              { to, note, ...(to === 'challenge' && share ? { share_bp: share } : {}) },
              { onSuccess: () => setTo(undefined) },
            )
          }
          onCancel={() => setTo(undefined)}
        />
      ) : null}
    </>
  );
}

/** Asks for the share of the applicants that a challenger decides for. */
function ShareDialog(props: { onOk(percent: number): void; onCancel(): void }) {
  const { t } = useTranslation('strategy');
  const [percent, setPercent] = useState(10);
  const id = useId();
  return (
    <Modal
      open
      title={t('move_title.challenge')}
      okText={t('next')}
      onOk={() => props.onOk(percent)}
      onCancel={props.onCancel}
    >
      <p>{t('share_lead')}</p>
      <label htmlFor={id}>{t('share')}</label>{' '}
      <InputNumber
        id={id}
        min={0.01}
        max={50}
        precision={2}
        value={percent}
        onChange={(v) => setPercent(v ?? 10)}
      />
    </Modal>
  );
}
