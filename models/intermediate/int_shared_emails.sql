-- E-mail addresses that several customer ids share: perhaps one person. They are
-- reported, not merged.
select
    email,
    count(*) as customer_count
from {{ ref('stg_customers') }}
where email is not null
group by email
having count(*) > 1
