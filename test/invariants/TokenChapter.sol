// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IDeals} from "../../contracts/interfaces/IDeals.sol";
import {ILocalToken} from "../../contracts/interfaces/ILocalToken.sol";
import {ITokenEscrow} from "../../contracts/interfaces/ITokenEscrow.sol";
import {ITokenSpender} from "../../contracts/interfaces/ITokenSpender.sol";
import {Rules} from "./Rules.sol";
import {vm} from "./Vm.sol";

/// @title TokenChapter
/// @notice The edge of an escrow over a token: deposits with approvals, with permits, and with a match at once.
abstract contract TokenChapter is Rules {
    bytes32 private constant PERMIT = keccak256(
        "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
    );

    IERC20 public token;

    /// @dev What a permit of the token says.
    struct Permit {
        address owner;
        uint256 amount;
        uint256 deadline;
        bool good;
    }

    function deposit(uint256 seed) external action(seed) {
        address from = _someone();
        uint256 amount = _amountOf(token.balanceOf(from));
        bool allowed = _canDeposit(from, amount);
        _actIf(allowed, from, abi.encodeCall(ITokenEscrow.deposit, (amount)));
        if (allowed) _bookMint(from, amount);
    }

    function depositFor(uint256 seed) external action(seed) {
        (address from, address to) = (_someone(), _target());
        uint256 amount = _amountOf(token.balanceOf(from));
        bool allowed = to != NOBODY && _canDeposit(from, amount);
        _actIf(allowed, from, abi.encodeCall(ITokenEscrow.depositFor, (amount, to)));
        if (allowed) _bookMint(to, amount);
    }

    function depositForArray(uint256 seed) external action(seed) {
        address from = _someone();
        address[] memory targets = new address[](_draw(4));
        uint256[] memory amounts = new uint256[](_chance(12) ? targets.length + 1 : targets.length);
        uint256 total;
        bool allowed = amounts.length == targets.length;
        for (uint256 i = 0; i < targets.length; ++i) {
            (targets[i], amounts[i]) = (_target(), _draw(token.balanceOf(from) / 50 + 1));
            total += amounts[i];
            allowed = allowed && targets[i] != NOBODY;
        }
        if (targets.length > 0 && _chance(10)) amounts[0] = type(uint256).max - total;
        allowed = allowed && _canDeposit(from, total) && (targets.length == 0 || amounts[0] <= total);
        _actIf(allowed, from, abi.encodeCall(ITokenEscrow.depositForArray, (amounts, targets)));
        for (uint256 i = 0; allowed && i < targets.length; ++i) {
            _bookMint(targets[i], amounts[i]);
        }
    }

    /// @dev Nothing is approved but by the permit.
    function depositWithPermit(uint256 seed) external action(seed) {
        Permit memory p = Permit(_someone(), 0, _now + _draw(99), true);
        p.amount = _amountOf(token.balanceOf(p.owner));
        vm.prank(p.owner);
        token.approve(address(hub), 0);
        // The contract among the actors has no key that the token would know.
        p.good = p.owner != _actors[BUSYBODY] && !_chance(6);
        if (_chance(8)) {
            p.deadline = _now - 1;
            p.good = false;
        }
        bool allowed = (p.good || p.amount == 0) && _canDeposit(p.owner, p.amount);
        _actIf(allowed, p.owner, _permitCall(p));
        if (allowed) _bookMint(p.owner, p.amount);
        vm.prank(p.owner);
        token.approve(address(hub), type(uint256).max);
    }

    /// @dev Through the token: deposits, and matches the requester's orders with it; both or nothing.
    function receiveApproval(uint256 seed) external action(seed) {
        address from = _someone();
        uint256 amount = _amountOf(token.balanceOf(from));
        if (_chance(6)) {
            bytes memory direct = abi.encodeCall(ITokenSpender.receiveApproval, (from, amount, address(token), ""));
            _actIf(false, from, direct);
        } else if (_chance(3)) {
            _depositThroughToken(from, amount, _chance(4) ? bytes("not a match") : bytes(""));
        } else {
            _depositAndMatch(from);
        }
    }

    function sendUnwantedCurrency(uint256 seed) external action(seed) {
        vm.deal(address(this), 1 ether);
        (bool done, ) = address(hub).call{value: 1 + _draw(1e18)}(_chance(2) ? bytes("") : bytes("unknown"));
        _expect(!done, bytes4(0), done, "");
    }

    function _depositAndMatch(address from) private {
        Quad memory q = _quad(_anyWishes());
        if (!_chance(6)) from = q.request.requester;
        uint256 amount = _amountOf(token.balanceOf(from));
        bool deposited = _canDeposit(from, amount);
        if (deposited) _free[from] += amount;
        uint256 volume = from == q.request.requester ? _matchable(q, from) : 0;
        if (deposited) _free[from] -= amount;
        bytes32 dealId = _taskIdOf(_hash(q.request), _kept[_hash(q.request)].consumed);
        bool allowed = deposited && volume > 0;
        bytes memory data = abi.encodeCall(IDeals.matchOrders, (q.app, q.dataset, q.workerpool, q.request));
        if (_chance(8)) {
            allowed = false;
            data = abi.encodeCall(IDeals.sponsorMatchOrders, (q.app, q.dataset, q.workerpool, q.request));
        }
        bool done = _approveAndCall(from, amount, data);
        _expect(done == allowed, ITokenSpender.receiveApproval.selector, done, "");
        if (!done) return;
        _bookMint(from, amount);
        _bookDeal(q, from, volume, dealId);
    }

    function _depositThroughToken(address from, uint256 amount, bytes memory data) private {
        bool allowed = data.length == 0 && _canDeposit(from, amount);
        bool done = _approveAndCall(from, amount, data);
        _expect(done == allowed, ITokenSpender.receiveApproval.selector, done, data);
        if (done) _bookMint(from, amount);
    }

    function _approveAndCall(address from, uint256 amount, bytes memory data) private returns (bool done) {
        vm.prank(from);
        try ILocalToken(address(token)).approveAndCall(address(hub), amount, data) {
            done = true;
        } catch {}
        _count(ITokenSpender.receiveApproval.selector, done);
        vm.prank(from);
        token.approve(address(hub), type(uint256).max);
    }

    function _permitCall(Permit memory p) private view returns (bytes memory) {
        IERC20Permit permit = IERC20Permit(address(token));
        uint256 nonce = permit.nonces(p.owner);
        bytes32 structHash = keccak256(abi.encode(PERMIT, p.owner, address(hub), p.amount, nonce, p.deadline));
        bytes32 digest = MessageHashUtils.toTypedDataHash(permit.DOMAIN_SEPARATOR(), structHash);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(p.good ? _keyOf[p.owner] : STRANGER_KEY, digest);
        return abi.encodeCall(ITokenEscrow.depositWithPermit, (p.amount, p.deadline, v, r, s));
    }

    function _canDeposit(address from, uint256 amount) private view returns (bool) {
        return amount <= token.balanceOf(from) && _supply + amount <= MAX_SUPPLY;
    }

    function _sendByMistake() internal virtual override {
        address from = _someone();
        uint256 amount = _draw(token.balanceOf(from) / 10_000 + 1);
        vm.prank(from);
        token.transfer(address(hub), amount);
    }

    function _custody() internal view virtual override returns (uint256) {
        return token.balanceOf(address(hub));
    }
}
