import { Button } from 'antd';
import { useTranslation } from 'react-i18next';

interface Pages {
  data?: unknown[];
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage(): unknown;
}

/** How many are shown, and the way to the next ones. */
export function More(props: { list: Pages }) {
  const { t } = useTranslation('frame');
  const { list } = props;
  return (
    <p className="more" role="status">
      <span className="fw-muted">
        {t(list.hasNextPage ? 'shown_more' : 'shown', { count: list.data?.length ?? 0 })}
      </span>
      {list.hasNextPage ? (
        <Button
          size="small"
          loading={list.isFetchingNextPage}
          onClick={() => void list.fetchNextPage()}
        >
          {t('load_more')}
        </Button>
      ) : null}
    </p>
  );
}
