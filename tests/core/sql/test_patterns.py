"""Queries in the manner of CasJobs' and Data Lab's users: each runs."""

from collections.abc import Callable
from typing import Any

import pytest

Answer = Callable[..., list[tuple[Any, ...]]]

TSQL = [
    "select top 7 MatchID, MatchRA from SumCat where MatchRA > 10 and MatchRA < 100 and MatchDec between 5 and 50",
    "select top 5 g.MatchID, n.CI from SumCat as g join dbo.SearchSumCatalog(30.,-1.5,200000,1) as n on g.MatchID = n.MatchID order by n.CI",
    "select p.MatchRA from SearchSumCatalog(9,4,200000,1) n, SumCat p where n.MatchID = p.MatchID",
    "select NumImages, min(MatchRA), max(MatchRA), count(distinct Class) from SumCat group by NumImages having count(*) > 2 order by 2 desc",
    "select count(*) as 'all', sum(case when Class = 'qso' then 1 else 0 end) as 'qso' from SumCat",
    "select str(MatchRA,10,4) as ra, ltrim(str(CI,12,2)) as ci from SumCat",
    "select top 4 g.MatchID, isnull(s.z, 0) as z from SumCat as g left outer join Spec s on s.MatchID = g.MatchID",
    "select f.Class, f.flux from (select Class, avg(power(cast(10. as float), -0.4*W2_F606W)) as flux from SumCat group by Class) as f where f.flux > 0",
    "select p.MatchID, case when q.MatchID is null then 'no' else 'yes' end as inside from SumCat p outer apply dbo.SearchSumCatalog(p.MatchRA, p.MatchDec, 0.1, 1) as q",
    "with q as (select MatchID, rank() over (partition by Class order by CI) as k from SumCat) select * from q where k <= 2",
    "select top 3 h.MatchID from hsc..SumCat h, hsc..Spec d where h.MatchID between d.MatchID and d.MatchID + 5",
    "select top 3 * from gaia.stars",
    "select top 5 a.MatchID, b.MatchID from Spec n join SumCat a on a.MatchID = n.MatchID join SumCat b on b.MatchID = n.MatchID + 1 where a.MatchID < b.MatchID and abs((a.W2_F606W-a.W2_F814W)-(b.W2_F606W-b.W2_F814W)) < 0.1",
    "select power(10.0, .1*floor(.5+log10(NumImages)/.1)) as mbin, count(*) as n from SumCat where NumImages > 0 group by floor(.5+log10(NumImages)/.1) order by 1",
    "select top 20 * from SumCat order by newid()",
    "select MatchID from SumCat where MatchID % 100 = 1",
    "select MatchID from SumCat with (nolock)",
    "select distinct Class from SumCat order by Class",
    "select case Class when 'QSO' then 1 when 'STAR' then 2 end as k, count(*) from SumCat group by case Class when 'QSO' then 1 when 'STAR' then 2 end",
    "select * from (select MatchID as a from SumCat) x full outer join (select SpecID as b from Spec) y on x.a = y.b",
    "select MatchID from Spec where good = 1 and not (z is null)",
    "select dbo.fDistanceArcMinEq(1, 2, 3, 4)",
    "select [MatchID] from [hsc].[dbo].[SumCat] where [MatchID] <> 3;",
]  # fmt: skip
POSTGRES = [
    "select ra, dec from gaia.stars limit 10",
    "select ra, dec from gaia.stars where q3c_radial_query(ra, dec, 10.0, 20.0, 5.0) and g < 18 and g - 1 between 2 and 17",
    "select round(ra / 10) as pix, avg(ra), avg(dec), count(*) from gaia.stars group by pix order by pix",
    "select count(*) from gaia.stars where g != 'NaN' and g <> 'Infinity'",
    "select a.id, b.MatchID from gaia.stars as a, hsc.SumCat as b where q3c_join(a.ra, a.dec, b.MatchRA, b.MatchDec, 1./3600)",
    "select * from hsc.Spec where good and z > 1 and (SpecID & 4) != 0",
    "select t.c from (select Class, count(*) as c from hsc.SumCat group by Class) as t join hsc.Spec s on s.Class = t.Class",
    "select id from gaia.stars where id in (1, 2, 3, 4) and id not in (select SpecID from hsc.Spec where z < 0)",
    "select 4.74 * g / nullif(ra, 0), g::int, cast(g as numeric(5, 2)), log(g), sqrt(g), 10^2, pi() from gaia.stars order by random() limit 3",
    "select id from gaia.stars where ra > 10 order by ra offset 5;",
    "select upper(Class) || '-' || MatchID::text from hsc.SumCat where Class ilike 'q%' and Class not like 'x%'",
    "select count(*) from hsc.Spec where good is true or z is not null",
    "select max(z) over (partition by Class), z from hsc.Spec",
]  # fmt: skip


@pytest.mark.parametrize("text", TSQL)
def test_tsql(answer: Answer, text: str) -> None:
    assert isinstance(answer(text), list)


@pytest.mark.parametrize("text", POSTGRES)
def test_postgres(answer: Answer, text: str) -> None:
    assert isinstance(answer(text, "postgres"), list)
