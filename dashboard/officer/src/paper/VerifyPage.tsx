import { useTranslation } from 'react-i18next';
import { Page, Panel } from '../pieces/Page';
import { Verify } from './Verify';
import './data';

/** A contract that somebody brings, held against all that were signed. */
export function VerifyPage() {
  const { t } = useTranslation('paper');
  return (
    <Page
      title={t('verify_title')}
      lead={t('verify_page_lead')}
      crumbs={[{ to: '/applications', text: t('applications') }]}
    >
      <Panel title={t('verify_title')}>
        <Verify />
      </Panel>
    </Page>
  );
}
