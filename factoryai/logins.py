"""Logging in: by token for programs, by page for people, and the answer to too many tries."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.contrib.auth.views import LoginView
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.serializers import TokenObtainPairSerializer, TokenRefreshSerializer
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from factoryai.rest import ErrorSerializer, error_body
from factoryai.sites.access import has_role_anywhere
from factoryai.sites.permissions import PEOPLE

TOO_MANY = "Too many wrong passwords. Try again in {minutes} minutes."


def locked_out(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    """Answer a login that django-axes stopped: JSON for programs, the login page with a plain sentence for people."""
    wait = settings.AXES_COOLOFF_TIME
    message = TOO_MANY.format(minutes=int(wait.total_seconds() // 60))
    if request.path_info.startswith("/api/"):
        response: HttpResponse = JsonResponse(error_body("too_many_attempts", message), status=429)
    else:
        response = render(request, "registration/locked_out.html", {"message": message}, status=429)
    response.headers["Retry-After"] = str(int(wait.total_seconds()))
    return response


class Login(LoginView):
    """The login page; somebody who is logged in already goes on."""

    redirect_authenticated_user = True


class AdminLogin(Login):
    """The admin's login is the product's own: one page, one lock-out."""

    redirect_authenticated_user = False
    next_page = "admin:index"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the form; a login without a role is told so, as on every page."""
        user = request.user
        if user.is_authenticated and not user.is_staff and not has_role_anywhere(user, PEOPLE):
            raise PermissionDenied
        return super().get(request, *args, **kwargs)


class TokenPairSerializer(TokenObtainPairSerializer):
    """A pair of tokens for a name and a password."""

    access = serializers.CharField(read_only=True)
    refresh = serializers.CharField(read_only=True)
    expires_in = serializers.IntegerField(read_only=True, help_text="Seconds that `access` is good for.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        pair = super().validate(attrs)
        # django-axes forgets the wrong tries and notes the login by this signal, which only pages send by themselves.
        user_logged_in.send(sender=type(self.user), request=self.context["request"], user=self.user)
        return {**pair, "expires_in": _expires_in()}


class RefreshSerializer(TokenRefreshSerializer):
    """A fresh access token for a refresh token; refused once the account is disabled or its password changed."""

    expires_in = serializers.IntegerField(read_only=True, help_text="Seconds that `access` is good for.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        JWTAuthentication().get_user(self.token_class(attrs["refresh"]))
        return {**super().validate(attrs), "refresh": attrs["refresh"], "expires_in": _expires_in()}


def _expires_in() -> int:
    return int(settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"].total_seconds())


@extend_schema(
    auth=[],
    responses={
        200: TokenPairSerializer,
        401: OpenApiResponse(ErrorSerializer, "`no_active_account`: the name or the password is wrong."),
        429: OpenApiResponse(ErrorSerializer, "`too_many_attempts`; `Retry-After` says when."),
    },
)
class TokenView(TokenObtainPairView):
    """Log in: a name and a password for an access and a refresh token."""

    serializer_class = TokenPairSerializer

    def get_serializer_context(self) -> dict[str, Any]:
        """Hand django-axes the request that the middleware sees: it marks it when it stops a login."""
        return {**super().get_serializer_context(), "request": self.request._request}


@extend_schema(
    auth=[],
    responses={
        200: RefreshSerializer,
        401: OpenApiResponse(ErrorSerializer, "`token_not_valid`: log in again."),
    },
)
class RefreshView(TokenRefreshView):
    """Get a fresh access token."""

    serializer_class = RefreshSerializer
