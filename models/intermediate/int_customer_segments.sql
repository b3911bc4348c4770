-- A customer's segment in every segmentation: the clusterings' and RFM's.
with rfm as (

    select * from {{ ref('int_rfm_segments') }}

),

rfm_segments as (

    select * from {{ ref('rfm_segments') }}

),

final as (
    {% if has('order_lines') %}
    select
        'rfm' as segmentation,
        rfm.customer_id,
        concat('rfm-', cast(
            coalesce(rfm_segments.segment_number, 0) as
            {{ dbt.type_string() }}
        )) as segment_id,
        cast(rfm.rfm_model_version as integer) as model_version,
        cast(null as double) as distance,
        cast(null as double) as confidence,
        case when rfm.rfm_status = 'scored' then 'assigned' else rfm.rfm_status end
            as status
    from rfm
    left join rfm_segments on rfm.rfm_segment = rfm_segments.segment_name
    union all
    {% endif %}
    select
        segmentation,
        customer_id,
        segment_id,
        model_version,
        distance,
        confidence,
        status
    from {{ ref('int_segment_assignments') }}

)

select * from final
