import { Modal } from 'antd';
import { useTranslation } from 'react-i18next';

const keys: [string[], string][] = [
  [['/'], 'search'],
  [['?'], 'help'],
  [['g', 'h'], 'home'],
  [['g', 'a'], 'applications'],
  [['g', 'm'], 'map'],
  [['g', 'r'], 'herds'],
  [['g', 'f'], 'firms'],
  [['g', 'c'], 'chain'],
  [['g', 's'], 'shock'],
  [['g', 'w'], 'alerts'],
  [['g', 'l'], 'loans'],
  [['g', 'q'], 'quarantine'],
  [['Esc'], 'escape'],
];

/** The keys that work everywhere. */
export function Help(props: { open: boolean; onClose(): void }) {
  const { t } = useTranslation('frame');
  return (
    <Modal open={props.open} onCancel={props.onClose} footer={null} title={t('keys.title')}>
      <dl className="keys">
        {keys.map(([press, what]) => (
          <div key={what}>
            <dt>
              {press.map((k) => (
                <kbd key={k}>{k}</kbd>
              ))}
            </dt>
            <dd>{t(`keys.${what}`)}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
