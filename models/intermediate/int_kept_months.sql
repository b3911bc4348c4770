-- The closed months of customers as they were published, under the policies of today.
select * from {{ source('registry', 'customer_months') }}
where policy_hash = '{{ history_policy_hash() }}'
