"""D: The control API's paths for the draft and for scheduled changes."""

from django.urls import path

from authproxy.views import changes, schedules

urlpatterns = [
    path("control/v1/draft", changes.DraftView.as_view()),
    path("control/v1/draft/comments", changes.CommentsView.as_view()),
    path("control/v1/draft/discard", changes.DiscardView.as_view()),
    path("control/v1/draft/publish", changes.PublishView.as_view()),
    path("control/v1/draft/reject", changes.RejectView.as_view()),
    path("control/v1/schedules", schedules.SchedulesView.as_view()),
    path("control/v1/schedules/<int:number>", schedules.ScheduleView.as_view()),
    path("control/v1/schedules/<int:number>/approve", schedules.ApproveView.as_view()),
    path("control/v1/schedules/<int:number>/cancel", schedules.CancelView.as_view()),
]
