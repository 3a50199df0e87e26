import { Empty } from '@furrow/shared/ui/states';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { Page } from '../pieces/Page';

export function MissingPage() {
  const { t } = useTranslation('frame');
  return (
    <Page title={t('missing')}>
      <Empty text={t('missing_text')}>
        <Link to="/">{t('nav.home')}</Link>
      </Empty>
    </Page>
  );
}
