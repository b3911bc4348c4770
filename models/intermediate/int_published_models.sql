-- What the registry holds of each model: the latest version, and the one in force as of
-- the date: the highest of that date or earlier, or else the earliest.
with versions as (

    select distinct
        segmentation,
        model_version,
        as_of_date,
        configuration_hash
    from {{ ref('int_registered_prototypes') }}
    {% if has('order_lines') %}
    union all
    select distinct
        'rfm' as segmentation,
        model_version,
        as_of_date,
        configuration_hash
    from {{ source('registry', 'rfm_cut_points') }}
    {% endif %}

),

numbered as (

    select
        versions.segmentation,
        max(versions.model_version) as latest_version,
        -- customers without orders have no clock
        case
            when max(clock.as_of_date) is null then max(versions.model_version)
            else coalesce(
                max(case
                    when versions.as_of_date <= clock.as_of_date
                        then versions.model_version
                end),
                min(versions.model_version)
            )
        end as version_in_force
    from versions
    cross join {{ ref('int_as_of_date') }} as clock
    group by versions.segmentation

),

final as (

    select
        numbered.segmentation,
        numbered.latest_version,
        numbered.version_in_force,
        latest.configuration_hash,
        in_force.as_of_date,
        coalesce(latest.as_of_date > clock.as_of_date, false) as is_past_date,
        cast(
            {{ dbt.datediff('in_force.as_of_date', 'clock.as_of_date', 'day') }}
            as integer
        ) as age_days
    from numbered
    inner join versions as latest
        on numbered.segmentation = latest.segmentation
        and numbered.latest_version = latest.model_version
    inner join versions as in_force
        on numbered.segmentation = in_force.segmentation
        and numbered.version_in_force = in_force.model_version
    cross join {{ ref('int_as_of_date') }} as clock

)

select * from final
