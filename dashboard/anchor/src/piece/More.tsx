import { Problem } from '@furrow/shared/ui/states';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';

interface Paged {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  isFetchNextPageError: boolean;
  error: unknown;
  fetchNextPage(): unknown;
}

/** The foot of a list that comes page by page: how much is there, and the way to more. */
export function More(props: { list: Paged; text: string; more?: string }) {
  const { t } = useTranslation('portal');
  const { list } = props;
  return (
    <>
      <p className="a-more fw-muted">
        <span>{props.text}</span>
        {list.hasNextPage ? (
          <Button loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            {props.more ?? t('more')}
          </Button>
        ) : null}
      </p>
      {list.isFetchNextPageError ? <Problem compact error={list.error} /> : null}
    </>
  );
}
