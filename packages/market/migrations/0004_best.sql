-- What `best` asks: of each kind the cheapest orders that admit one of few, without a walk past those that admit others.
create index book_app_admits on book (app, requester, dataset, price, published_at, hash)
  where status = 'open' and kind = 'app';
create index book_dataset_admits on book (dataset, requester, app, price, published_at, hash)
  where status = 'open' and kind = 'dataset';
create index book_pool_admits on book (category, tag, requester, app, dataset, price, published_at, hash)
  where status = 'open' and kind = 'workerpool';
-- The same for who names the workerpool.
create index book_own_pool_admits on book (workerpool, category, tag, requester, app, dataset, price, published_at, hash)
  where status = 'open' and kind = 'workerpool';
