-- Which customer has consented to which channel, as the record says.
with final as (
    {% for channel in ['email', 'sms', 'post', 'phone'] %}
    select
        customer_id,
        '{{ channel }}' as channel,
        has_consent_{{ channel }} as is_allowed
    from {{ ref('stg_customers') }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from final
