-- Where the API of a workerpool is, as its owner said. It counts while that is still the owner.
create table workerpool_api (
  workerpool text primary key,
  owner text not null,
  api_url text not null
);
