import { useFormats } from '@furrow/shared/format';
import { Button, Slider } from 'antd';
import { useTranslation } from 'react-i18next';
import { FirmSelect } from './FirmSelect';
import './texts';

/** Which firm is struck, and how much of its output it loses. */
export function ShockForm(props: {
  firm: string;
  part: number;
  pending: boolean;
  again: boolean;
  onFirm(id: string): void;
  onPart(part: number): void;
  onRun(): void;
}) {
  const { t } = useTranslation('chain');
  const f = useFormats();
  const { firm, part } = props;
  return (
    <form
      className="filters shock-form"
      onSubmit={(e) => {
        e.preventDefault();
        props.onRun();
      }}
    >
      <div>
        <span>{t('shock.firm')}</span>
        <FirmSelect label={t('shock.firm')} value={firm} onChange={props.onFirm} anchorsFirst />
      </div>
      <div>
        <span>{t('shock.part')}</span>
        <div className="shock-part">
          <Slider
            min={5}
            max={100}
            step={5}
            value={Math.round(part * 100)}
            onChange={(v) => props.onPart(v / 100)}
            tooltip={{ open: false }}
            ariaLabelForHandle={t('shock.part')}
          />
          <output>
            {part >= 1 ? t('shock.stops') : t('shock.cuts', { part: f.percent(part) })}
          </output>
        </div>
      </div>
      <Button type="primary" htmlType="submit" disabled={!firm} loading={props.pending}>
        {t(props.again ? 'shock.again' : 'shock.run')}
      </Button>
    </form>
  );
}
