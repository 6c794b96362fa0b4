-- The latest deals of a category, for its prices.
create index deal_category on deal ((details ->> 'category'), block_number desc, log_index desc);
