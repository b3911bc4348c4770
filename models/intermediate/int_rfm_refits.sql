-- What new cut points change by themselves: the share of all customers with scores who
-- are in another RFM segment by them than by the cut points before, both on today's
-- data. No rows where the cut points are not new.
with decisions as (

    select * from {{ ref('int_refit_decisions') }}
    where segmentation = 'rfm'

),

registered as (

    select cut_points.*
    from {{ source('registry', 'rfm_cut_points') }} as cut_points
    inner join decisions on cut_points.model_version = decisions.latest_version
    where decisions.is_refit

),

customers as (

    select * from {{ ref('int_customer_rfm') }}
    where frequency > 0

),

{{ rfm_score_ctes(['customer_id'], 'registered') }},

coded as (

    select
        *,
        100 * recency_score + 10 * frequency_score + monetary_score as rfm_code
    from scores
    where rfm_model_version is not null

),

before as (

    select
        coded.customer_id,
        coded.rfm_model_version as model_version,
        {{ rfm_segment('map', 'customers') }} as rfm_segment
    from coded
    inner join customers on coded.customer_id = customers.customer_id
    left join {{ ref('rfm_segment_map') }} as map on coded.rfm_code = map.rfm_code

),

final as (

    select
        now.rfm_model_version as model_version,
        {{ ratio(
            'sum(case when now.rfm_segment is distinct from before.rfm_segment'
            ~ ' then 1 else 0 end)',
            'count(*)'
        ) }} as changed_by_model_share
    from {{ ref('int_rfm_segments') }} as now
    inner join before on now.customer_id = before.customer_id
    where now.rfm_model_version > before.model_version
    group by now.rfm_model_version

)

select * from final
